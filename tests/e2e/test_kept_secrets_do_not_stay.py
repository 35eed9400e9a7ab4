"""What the vault keeps is nowhere in an authority's memory once it was used.

The authority is a process of its own, and has no card: what is found there has come out
of the vault. All of its memory is read, as a dump would show it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pytest
from lab.canaries import encodings
from lab.histories import TRANSPORT
from lab.hostile.families import ADMIN_KEY
from lab.hostile.line import Authorities, Line, Sent
from lab.hostile.points import Points
from lab.machine import authority_by_pipe
from lab.memory import occurrences
from lab.not_run import needs

from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import CardType, FirstPin, Sync, Template, UnblockMethod

ROOT = Path(__file__).parents[2]
PUK, NEW = b"73519284", b"846257"

pytestmark = [
    needs(os.geteuid() == 0, "reads another's memory: run the tests as root"),
    pytest.mark.usefixtures("hashes_as_shipped"),  # the other process has them
]


class Asked(Line):
    """A line to an authority behind a pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(Points(), cast("Authorities", None))
        self.pid = process.pid
        self._in, self._out = cast("IO[str]", process.stdin), process.stdout

    def carry(self, sent: Sent, number: int, station: str = "") -> bytes:
        return self.tell(sent.call, base64.b64encode(sent.body).decode())

    def tell(self, call: str, body: str = "") -> bytes:
        self._in.write(json.dumps({"call": call, "body": body}) + "\n")
        self._in.flush()
        assert self._out is not None
        return base64.b64decode(self._out.readline())

    def holds(self, secret: bytes) -> list[str]:
        """Return in which forms its memory has a secret."""
        return [
            called for called, look in encodings(secret) if occurrences(self.pid, look)
        ]


class Site:
    """Alice's card in our hands; her record in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = authority_by_pipe.town(folder)
        keys = folder / "vault.keys"
        keys.touch(0o600)
        ring = cast("Any", self.world._vault)._ring
        self.key: bytes = ring.key("world")
        keys.write_text(f"world {base64.b64encode(self.key).decode()}\n")

    def register(self, made: Made[Any], template: Template, **more: Any) -> None:
        self.made = made
        self.world.add_template(template)
        (guid,) = self.world.directory._state.dcs[0].users  # type: ignore[attr-defined]  # the simulated one
        self.world.register(
            "alice", made, account_guid=guid, template=template.name, **more
        )

    @contextmanager
    def authority(self) -> Iterator[Asked]:
        process = subprocess.Popen(
            [sys.executable, authority_by_pipe.__file__, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        )
        try:
            yield Asked(process)
        finally:
            process.kill()
            process.communicate()

    def visit(self, line: Asked, kind: Kind, **typed: Secret) -> Outcome:
        visit = Visit(
            Workplace(
                card=self.world.readers.insert(self.made.card),
                authority=line.station(authority_by_pipe.STATION),
                worker=InlineWorker(),
                encrypt=self.world.encrypt,
            )
        )
        visit.recognise()
        form = visit.begin(kind)
        values = {FieldName(name): value for name, value in typed.items()}
        values[FieldName.NEW_PIN] = Secret(NEW)
        if form.challenge is not None:
            answer = line.tell("telephone", form.challenge.spoken)
            values[FieldName.ADMIN_RESPONSE] = Secret(answer)
        return visit.submit(form, Answers(values), lambda progress: None).outcome


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def with_admin_key(site: Site, method: UnblockMethod) -> None:
    made = make_gids_card(
        site.world.entropy, subject="alice", pin=b"271828", admin_key=ADMIN_KEY
    )
    made.card.set_tries(pin=0)
    template = Template(name="staff", card_type=CardType.GIDS, unblock=(method,))
    site.register(made, template, puk=None, admin_key=Secret(ADMIN_KEY))


def test_an_administrator_key_is_gone_when_a_card_was_unblocked(site: Site) -> None:
    with_admin_key(site, UnblockMethod.ADMIN_KEY_ONLINE)
    code = site.world.release_code("alice")
    with site.authority() as line:
        assert site.visit(line, Kind.UNBLOCK, release_code=code) is Outcome.DONE
        assert not line.holds(ADMIN_KEY)
        line.tell("keep")
        assert "plain" in line.holds(ADMIN_KEY), "it would be seen"


def test_an_administrator_key_is_gone_when_a_challenge_was_answered(site: Site) -> None:
    with_admin_key(site, UnblockMethod.ADMIN_KEY_PHONE)
    with site.authority() as line:
        assert site.visit(line, Kind.UNBLOCK) is Outcome.DONE
        assert not line.holds(ADMIN_KEY)


def test_a_puk_is_gone_when_it_was_handed_out(site: Site) -> None:
    made, puk = site.world.make_card("alice", pin=b"271828", puk=PUK)
    made.card.set_tries(pin=0)
    template = Template(name="staff", unblock=(UnblockMethod.RELEASE_CODE,))
    site.register(made, template, puk=puk)
    code = site.world.release_code("alice")
    with site.authority() as line:
        assert site.visit(line, Kind.UNBLOCK, release_code=code) is Outcome.DONE
        assert not line.holds(PUK)


def test_a_transport_pin_is_gone_when_it_was_handed_out(site: Site) -> None:
    made, puk = site.world.make_card("alice", pin=TRANSPORT)
    template = Template(name="staff", first_pin=FirstPin.ACTIVATION_CODE)
    more: dict[str, Any] = {"state": State.ISSUED, "sync": Sync.NEVER}
    site.register(made, template, puk=puk, transport_pin=Secret(TRANSPORT), **more)
    code = site.world.activation_code("alice")
    with site.authority() as line:
        done = site.visit(line, Kind.ACTIVATE, activation_code=code)
        assert done is Outcome.DONE
        assert not line.holds(TRANSPORT)


def test_the_vaults_key_is_in_memory_as_it_is_used_and_as_nothing_else(
    site: Site,
) -> None:
    with_admin_key(site, UnblockMethod.ADMIN_KEY_ONLINE)
    code = site.world.release_code("alice")
    with site.authority() as line:
        assert site.visit(line, Kind.UNBLOCK, release_code=code) is Outcome.DONE
        as_bytes = ["plain", "FF-padded"]  # the same: it is longer than any PIN
        assert line.holds(site.key) == as_bytes, "the line of the file is not kept"
