"""TLS ends at a proxy, as docs/fleet.md has it: its name in `names`, its issuer in the
stations' `ca_file`. What it sees has no PIN, code or PUK in it, either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.cards.pcscd import Pcscd
from lab.domain.samba import SambaDomain
from lab.realsite import NEW_PIN, PIN
from lab.servers.fleet import KIOSK, Fleet, founded
from lab.servers.tls_proxy import TlsProxy
from lab.terminal.terminal import terminal

from kiosk import bootstrap
from kiosk.authority.client.remote import remote
from kiosk.authority.escrow import approvals
from kiosk.bootstrap import lines_of
from kiosk.config import FleetStation, load_any
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import ApprovalKind

pytestmark = pytest.mark.samba

PUK, LAST_PIN = "PUKPUK01", "926535"


@dataclass
class Between:
    """A fleet whose stations reach it through a proxy alone."""

    fleet: Fleet
    proxy: TlsProxy

    def saw(self, secret: str) -> bool:
        """Say whether the proxy could read it, as it is or as JSON has bytes."""
        return secret.encode() in self.proxy.seen or (
            Secret(secret.encode()).reveal().hex().encode() in self.proxy.seen
        )


@contextmanager
def between(fleet: Fleet) -> Iterator[Between]:
    (port,) = fleet.ports
    folder = fleet.site.folder
    proxy = TlsProxy(folder, port, folder / "site.pem")
    told = fleet.site.config_file
    own, seen = f"127.0.0.1:{port}", f"127.0.0.1:{proxy.port}"
    told.write_text(told.read_text().replace(own, seen))
    station = fleet.config_file
    station.write_text(
        station.read_text()
        .replace(own, seen)
        .replace(str(folder / "site.pem"), str(proxy.ca_file))
    )
    with closing(proxy), fleet.serving():
        yield Between(fleet, proxy)


def visit(fleet: Fleet, kind: Kind, typed: dict[FieldName, str]) -> None:
    config = load_any(fleet.config_file)
    assert isinstance(config, FleetStation)
    with closing(lines_of(config)) as lines:
        place = Workplace(
            card=SimulatedReaders().insert(fleet.site.made.card),
            authority=remote(lines, SystemEntropy(), SystemClock()),
            worker=InlineWorker(),
        )
        made = Visit(place)
        made.recognise()
        form = made.begin(kind)
        fields = {name: Secret(text.encode()) for name, text in typed.items()}
        result = made.submit(form, Answers(fields, confirmed=True), lambda _: None)
        assert result.outcome is Outcome.DONE


def release_code(fleet: Fleet) -> str:
    parts = bootstrap.parts_of(fleet.site.config)
    try:
        code = approvals.issue_code(
            parts,
            credential="c1",
            kind=ApprovalKind.RELEASE,
            operator="ada",
            station="helpdesk-1",
            valid_for=approvals.RELEASE_SECONDS,
            last_try=False,
        )
        with code:
            return code.reveal().decode()
    finally:
        parts.registry.close()


@pytest.mark.usefixtures("hashes_as_shipped")
def test_visits_through_it_show_it_no_secret(
    tmp_path: Path, samba: SambaDomain
) -> None:
    fleet = founded(tmp_path, samba)
    with between(fleet) as there:
        old, new = FieldName.OLD_PIN, FieldName.NEW_PIN
        visit(fleet, Kind.CHANGE, {old: PIN, new: NEW_PIN})
        fleet.site.made.card.set_tries(pin=0)
        code = release_code(fleet)
        typed = {FieldName.RELEASE_CODE: code, new: LAST_PIN}
        visit(fleet, Kind.UNBLOCK, typed)
    assert samba.user_binds(fleet.site.user.upn, LAST_PIN)
    assert fleet.site.user.upn.encode() in there.proxy.seen, "names it does see"
    assert b"/v1/visit/release" in there.proxy.seen
    for secret in (PIN, NEW_PIN, LAST_PIN, code, PUK):
        assert not there.saw(secret)


@pytest.mark.pcscd
def test_a_desk_through_it_shows_it_no_frame(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd
) -> None:
    fleet = founded(tmp_path, samba, role="helpdesk")
    group = samba.add_group(fleet.site.user.dn)
    with fleet.site.config_file.open("a") as config:
        config.write(f'\n[sign_in]\nhelpdesk_group = "{group}"\n')
    desk = [KIOSK, "run", "--config", str(fleet.config_file)]
    with (
        between(fleet) as there,
        terminal(desk, environment=pcscd.environment) as shown,
    ):
        shown.shows("Put your own card into the reader")
        pcscd.readers[0].insert(fleet.site.made.card)
        shown.shows("Type the PIN of your card")
        shown.type(f"{PIN}\r")
        shown.shows("Out of step")
        shown.type(f"{fleet.site.user.upn}\r")
        shown.shows("It may become")
    assert b"/v1/desk" in there.proxy.seen
    for secret in (PIN, fleet.site.user.upn, "Out of step"):
        assert not there.saw(secret)
