"""A station says how it is over HTTPS, signed; it is kept and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from lab.histories import STORIES, History
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.ports import free_port
from lab.servers.served import Serving, Site

from kiosk import __version__
from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines
from kiosk.authority.client.reporting import Reporter
from kiosk.authority.local import LocalAuthority
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import signing
from kiosk.authority.stations.keys import Ed25519Key
from kiosk.authority.stations.report_call import PATH, REPORT_SECONDS
from kiosk.authority.stations.reporting import SOONEST_SECONDS, Reports
from kiosk.authority.stations.roster import Roster
from kiosk.authority.stations.standing import (
    SILENT_SECONDS,
    FleetStanding,
    SeenStation,
    StationReport,
    all_seen,
    counted,
    standing,
)
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SystemEntropy
from storage.records import Record, Slip, StationRecord, StationStanding
from storage.registry import Tx

ROLES = ("self-service", "helpdesk", "enrollment")
SAID = {"program": "9.8.7", "at": 0.0, "reader": "ready"}


class Place:
    """An authority that serves, and one station of it."""

    def __init__(self, folder: Path, history: History, role: str = ROLES[0]) -> None:
        self.history, self.key = history, Ed25519Key.made()
        parts = history.world.parts
        assert isinstance(parts.clock, ManualClock)
        self.clock = parts.clock
        self.site, self.port = Site.founded(folder), free_port()
        self.registry = parts.registry
        self.looked: list[int] = []
        self.failing: tuple[str, ...] = ()
        self.registry.run(
            lambda tx: tx.save_station(
                StationRecord(
                    id="kiosk-1",
                    name="kiosk-1",
                    role=role,
                    algorithm="ed25519",
                    public_key=self.key.public.raw,
                    enrolled_at=self.clock.now(),
                    enrolled_by="ada",
                )
            )
        )
        known = Roster()
        self.service = Service(
            threads=Threads(lambda: parts, count=1, waiting=8),
            verify=known.may_visit,
            authority_of=LocalAuthority,
            names=frozenset({f"127.0.0.1:{self.port}"}),
            entropy=SystemEntropy(),
            report=Reports(known).take,
        )

    def lines(self, key: Ed25519Key | None = None) -> Lines:
        sign = partial(
            signing.sign, station="kiosk-1", key=key or self.key, clock=self.clock
        )
        address = f"https://127.0.0.1:{self.port}"
        return Lines([address], trusting(self.site.ca_file), sign, SystemClock())

    def reporter(self, lines: Lines) -> Reporter:
        def look() -> tuple[tuple[str, ...], tuple[str, ...]]:
            self.looked.append(1)
            return ("libcard.so",), self.failing

        return Reporter(lines, SystemEntropy(), self.clock, look)

    def says(self, body: object, key: Ed25519Key | None = None) -> int:
        """Return the status of the answer to such a report."""
        headers = {"content-type": "application/json", "idempotency-key": "k"}
        with closing(self.lines(key)) as lines:
            return lines.ask(PATH, headers, msgspec.json.encode(body)).status

    def save(self, **changes: object) -> None:
        def change(tx: Tx) -> None:
            known = tx.station("kiosk-1")
            tx.save_station(msgspec.structs.replace(known, **changes))

        self.registry.run(change)

    def record(self) -> SeenStation:
        (found,) = all_seen(self.registry)
        return found


@pytest.fixture(params=("memory", *SHARED))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    registry = IMPLEMENTATIONS[request.param](tmp_path)
    made = Place(tmp_path, History(STORIES[0], registry))
    with Serving(application(made.service), made.site.listening(made.port)):
        yield made
    made.service.threads.close()
    registry.close()


def test_what_a_station_says_is_kept_beside_when_it_was_heard(place: Place) -> None:
    place.failing = ("file", "core dumps")
    with closing(place.lines()) as lines:
        place.reporter(lines).tell("ready")
    kept = place.record()
    assert (kept.last_seen, kept.program) == (place.clock.now(), __version__)
    assert kept.report == StationReport(
        at=place.clock.now(),
        reader="ready",
        middleware=("libcard.so",),
        clock_off=0.0,
        failing=("file", "core dumps"),
    )
    assert standing(kept, place.clock.now()) is FleetStanding.UNHEALTHY


def test_it_says_so_once_a_minute_however_often_it_is_asked(place: Place) -> None:
    with closing(place.lines()) as lines:
        reporter = place.reporter(lines)
        for _ in range(3):
            reporter.tell("ready")
        assert len(place.looked) == 1
        place.clock.advance(REPORT_SECONDS)
        place.failing = ("file",)
        reporter.tell("ready")
    assert len(place.looked) == 2
    kept = place.record().report
    assert kept is not None
    assert (kept.at, kept.failing) == (place.clock.now(), ("file",))


def test_a_flood_of_reports_is_no_flood_of_writes(place: Place) -> None:
    assert place.says(SAID) == 200
    first = place.record()
    assert place.says({**SAID, "reader": "none"}) == 200
    assert place.record() == first
    place.clock.advance(SOONEST_SECONDS)
    assert place.says({**SAID, "reader": "none"}) == 200
    kept = place.record().report
    assert kept is not None
    assert kept.reader == "none"


def test_its_clock_is_compared_with_the_authoritys(place: Place) -> None:
    assert place.says({**SAID, "at": place.clock.now() - 12.34}) == 200
    kept = place.record().report
    assert kept is not None
    assert kept.clock_off == -12.3


def test_a_newer_station_may_say_more(place: Place) -> None:
    assert place.says({**SAID, "temperature": 21}) == 200
    assert place.record().report is not None


@pytest.mark.parametrize(
    "more",
    [
        {"program": "x" * 41},
        {"program": "a\nb"},
        {"at": 1e300},
        {"reader": "on fire"},
        {"failing": ["x"] * 33},
        {"failing": ["\x1b[2J"]},
        {"failing": ["x" * 65]},
        {"middleware": ["x"] * 17},
        {"middleware": ["name\n"]},
    ],
)
def test_what_has_not_its_form_is_not_kept(
    place: Place, more: dict[str, object]
) -> None:
    assert place.says({**SAID, **more}) == 400
    assert place.record().report is None


def test_who_is_not_that_station_says_nothing_of_it(place: Place) -> None:
    assert place.says(SAID, Ed25519Key.made()) == 401
    assert place.record().report is None


def test_a_revoked_station_is_not_heard_of_its_health_either(place: Place) -> None:
    place.save(state=StationStanding.REVOKED)
    assert place.says(SAID) == 401
    kept = place.record()
    assert kept.report is None
    assert standing(kept, place.clock.now()) is FleetStanding.REVOKED


@pytest.mark.parametrize("role", ROLES[1:])
def test_a_desk_may_report_and_still_makes_no_visit(place: Place, role: str) -> None:
    place.save(role=role)
    assert place.says(SAID) == 200
    assert place.record().report is not None
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    with closing(place.lines()) as lines:
        assert lines.ask("/v1/visit/health", headers, b"{}").status == 403


def test_an_authority_that_keeps_none_is_no_harm(place: Place) -> None:
    place.service.report = None
    with closing(place.lines()) as lines:
        place.reporter(lines).tell("ready")
    assert place.record().report is None


def test_one_that_is_not_heard_is_silent_whatever_it_said_last(place: Place) -> None:
    assert place.says(SAID) == 200
    kept, now = place.record(), place.clock.now()
    assert standing(kept, now) is FleetStanding.HEARD
    assert standing(kept, now + SILENT_SECONDS + 1) is FleetStanding.SILENT


def test_stations_are_counted_by_how_they_stand(place: Place) -> None:
    parts = place.history.world.parts
    nobody = dict.fromkeys(FleetStanding, 0)
    assert counted(parts) == {**nobody, FleetStanding.SILENT: 1}
    assert place.says({**SAID, "failing": ["file"]}) == 200
    assert counted(parts) == {**nobody, FleetStanding.UNHEALTHY: 1}
    place.save(state=StationStanding.REVOKED)
    assert counted(parts) == {**nobody, FleetStanding.REVOKED: 1}


# --- beside programs of another version -----------------------------------------------


class StationBefore(Record, frozen=True, kw_only=True):
    """What a program knows of a station that has never heard of reports."""

    id: str
    name: str
    role: str
    algorithm: str
    public_key: bytes
    state: StationStanding = StationStanding.ACTIVE
    enrolled_at: float
    enrolled_by: str
    last_seen: float = 0.0
    program: str = ""
    version: int = 0


def test_a_program_that_knows_no_reports_reads_the_station_that_made_one(
    place: Place,
) -> None:
    assert place.says({**SAID, "failing": ["file"]}) == 200
    kept = place.registry.read(lambda view: view.station("kiosk-1"))
    before = msgspec.json.decode(msgspec.json.encode(kept), type=StationBefore)
    assert before.last_seen == place.clock.now()


@pytest.mark.parametrize(
    ("text", "failing"),
    [
        ('{"at":1,"reader":"ready","failing":["x"],"of_tomorrow":[{}]}', ("x",)),
        ('{"at":1,"reader":"ready"}', ()),
        ('{"at":"never"}', None),
        ("no report", None),
    ],
)
def test_what_another_version_keeps_of_a_report_harms_nobody(
    place: Place, text: str, failing: tuple[str, ...] | None
) -> None:
    slip = Slip(kind="report", of="kiosk-1", text=text)
    place.registry.run(lambda tx: tx.save_slip(slip))
    report = place.record().report
    assert (None if report is None else report.failing) == failing
    assert place.says(SAID) == 200
    assert place.record().report is not None
