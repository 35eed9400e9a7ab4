"""Every door of a serving process, knocked at by every kind of station and by nobody.

The process is made of a configuration, as `kiosk serve` makes it; who the stations are
is in its registry, or in a folder of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from lab.desk.office import PASSWORD, Office
from lab.servers.served import Serving
from lab.servers.serving import Authority

from kiosk import bootstrap
from kiosk.authority.client.desk_line import DeskLines
from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines, Sign
from kiosk.authority.office.errors import NoRole
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.service.app import application
from kiosk.authority.service.desks import Desks
from kiosk.authority.service.problems import Problem
from kiosk.authority.stations import signing
from kiosk.authority.stations.enroll_call import PATH as ENROLL
from kiosk.authority.stations.folder import text_of
from kiosk.authority.stations.keys import Ed25519Key
from kiosk.authority.stations.report_call import PATH as REPORT
from kiosk.authority.wire.calls import CALLS
from kiosk.bootstrap.office import office_at
from kiosk.bootstrap.relay import relayed_site_of
from kiosk.config import Config, OperatorRole, load
from kiosk.config.sections.station import StationRole
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.desk.context import OWN_FILES
from kiosk.desk.relay.channel import Channel, accepted
from kiosk.desk.relay.remote_desk import CLOSED, RemoteDesk
from kiosk.simulation.rehearsal.office import GROUPS
from storage.records import StationRecord, StationStanding
from storage.registry import Tx

KIOSK, HELPDESK, ENROLLMENT = StationRole
STATIONS = {
    "kiosk": KIOSK,
    "helpdesk": HELPDESK,
    "enrollment": ENROLLMENT,
    "revoked-kiosk": KIOSK,
    "revoked-desk": ENROLLMENT,
}
UNKNOWN, NOT_IN_ROLE = "authority.station_unknown", "authority.station_may_not"
NOT_UNDERSTOOD = "authority.not_understood"
"""Who may ask is asked for what: there is nothing in these calls."""
NOT_SIGNED = "authority.not_signed"

VISITS = {
    "kiosk": NOT_UNDERSTOOD,
    "helpdesk": NOT_IN_ROLE,
    "enrollment": NOT_IN_ROLE,
    "revoked-kiosk": UNKNOWN,
    "revoked-desk": UNKNOWN,
    "stranger": UNKNOWN,
    "somebody as the kiosk": NOT_SIGNED,
    "nobody": NOT_SIGNED,
}
SESSIONS = {
    "kiosk": NOT_IN_ROLE,
    "helpdesk": "",
    "enrollment": "",
    "revoked-kiosk": UNKNOWN,
    "revoked-desk": UNKNOWN,
    "stranger": UNKNOWN,
    "somebody as the kiosk": NOT_SIGNED,
    "nobody": NOT_SIGNED,
}
REPORTS = VISITS | {"helpdesk": NOT_UNDERSTOOD, "enrollment": NOT_UNDERSTOOD}


class House:
    """One serving process, and a key for each station there is."""

    def __init__(self, folder: Path, *, of_files: bool) -> None:
        self.authority = Authority(folder)
        self.keys = {name: Ed25519Key.made() for name in (*STATIONS, "stranger")}
        stations = folder / "stations"
        if of_files:
            stations.mkdir(mode=0o700)
            with self.authority.config.open("a") as config:
                config.write(f'stations_folder = "{stations}"\n')
        for name, role in STATIONS.items():
            if of_files:
                self.write(stations / f"{name}.toml", name, role)
        if not of_files:
            self.enroll()

    def write(self, file: Path, name: str, role: StationRole) -> None:
        file.touch(0o600)
        is_revoked = "revoked = true\n" if name.startswith("revoked") else ""
        file.write_text(text_of(self.keys[name].public, role) + is_revoked)

    def enroll(self) -> None:
        parts = bootstrap.parts_of(load(self.authority.config))

        def save(tx: Tx) -> None:
            for name, role in STATIONS.items():
                is_revoked = name.startswith("revoked")
                standing = StationStanding.REVOKED if is_revoked else "active"
                tx.save_station(
                    StationRecord(
                        id=name,
                        name=name,
                        role=role,
                        algorithm=self.keys[name].public.algorithm,
                        public_key=self.keys[name].public.raw,
                        enrolled_at=0.0,
                        enrolled_by="ada",
                        state=StationStanding(standing),
                    )
                )

        parts.registry.run(save)
        parts.registry.close()

    def signer(self, who: str) -> Sign:
        if who == "nobody":
            return lambda _: {}
        name, key = who, self.keys["stranger"]
        if who == "somebody as the kiosk":
            name = "kiosk"
        else:
            key = self.keys[who]
        clock = SystemClock()
        return lambda it: signing.sign(it, station=name, key=key, clock=clock)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.authority.ports[0]}"

    def says(self, path: str, who: str) -> str:
        """Return the code of what somebody hears who asks nothing there."""
        context = trusting(self.authority.site.ca_file)
        lines = Lines([self.address], context, self.signer(who), SystemClock())
        told = {"content-type": "application/json", "idempotency-key": "k"}
        try:
            answer = lines.ask(path, told, b"{}")
        finally:
            lines.close()
        return msgspec.json.decode(answer.body, type=Problem).error.code

    def session(self, who: str) -> str:
        """Return the code of why somebody gets no session; empty: there is one."""
        ca_file = self.authority.site.ca_file
        lines = DeskLines([self.address], ca_file, self.signer(who), SystemEntropy())

        def connect(_: object) -> Channel:
            mine = SealingKey()
            return accepted(lines.opened(mine.public, lambda: None), mine, 10.0)

        desk = RemoteDesk(connect, lambda job: job())
        page = desk.page()
        desk.close()
        if page.name != CLOSED:
            return ""
        assert page.notice is not None
        return page.notice.key


@pytest.fixture(scope="module", params=["registry", "files"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, of_files=request.param == "files")
    parts = bootstrap.made_of(made.authority.config, made.authority.ports[0])
    app = application(parts.service, Desks(parts.service).routes)
    with Serving(app, parts.listening):
        yield made
    parts.service.threads.close()


@pytest.mark.parametrize("who", VISITS)
def test_who_may_ask_for_a_visit(house: House, who: str) -> None:
    """Every call there is, the one that writes the password among them."""
    heard = {call: house.says(f"/v1/visit/{call}", who) for call in CALLS}
    assert heard == dict.fromkeys(CALLS, VISITS[who])


@pytest.mark.parametrize("who", SESSIONS)
def test_who_may_have_a_session_of_an_operator(house: House, who: str) -> None:
    assert house.session(who) == SESSIONS[who]


@pytest.mark.parametrize("who", REPORTS)
def test_who_may_say_how_a_station_is(house: House, who: str) -> None:
    is_kept = bootstrap.made_of(house.authority.config).service.report is not None
    assert house.says(REPORT, who) == (REPORTS[who] if is_kept else NOT_UNDERSTOOD)


@pytest.mark.parametrize("who", VISITS)
def test_without_a_token_nobody_enrolls(house: House, who: str) -> None:
    assert house.says(ENROLL, who) == NOT_UNDERSTOOD


# --- what operators may there ---------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Config:
    authority = Authority(tmp_path)
    groups = "".join(
        f'{it.name.lower()}_group = "{GROUPS[it]}"\n' for it in OperatorRole
    )
    with authority.config.open("a") as file:
        file.write(f"\n[sign_in]\nwith_account = true\n{groups}")
    return load(authority.config)


def roles_at(config: Config, role: StationRole, name: str) -> frozenset[OperatorRole]:
    """Return what somebody is who signs in at a station of that role."""
    office = Office()
    office.person("grace", OperatorRole.OFFICER, OperatorRole.HELPDESK)
    there = office_at(config, office.world.parts, "desk-7", role)
    return there.sign_in_by_account(name, Secret(PASSWORD)).operator.roles


@pytest.mark.parametrize("name", ["olga", "ada"])
def test_nobody_is_an_officer_or_an_administrator_at_a_helpdesk_station(
    config: Config, name: str
) -> None:
    with pytest.raises(NoRole):
        roles_at(config, HELPDESK, name)
    assert roles_at(config, ENROLLMENT, name)


def test_who_is_both_is_only_of_the_helpdesk_there(config: Config) -> None:
    assert roles_at(config, HELPDESK, "grace") == {OperatorRole.HELPDESK}
    both = {OperatorRole.HELPDESK, OperatorRole.OFFICER}
    assert roles_at(config, ENROLLMENT, "grace") == both


def test_no_card_is_issued_at_a_helpdesk_station(
    config: Config, tmp_path: Path
) -> None:
    told = tmp_path / "kiosk.toml"
    with told.open("a") as file:
        file.write(
            f'\n[enrollment]\nca_certificate_file = "{tmp_path}/ca.pem"\n'
            f'ca_key_file = "{tmp_path}/ca.key"\n'
        )
    known = load(told)
    registry = Office().world.registry
    assert relayed_site_of(known, registry, HELPDESK, OWN_FILES).issuer is None
    assert relayed_site_of(known, registry, ENROLLMENT, OWN_FILES).issuer is not None
