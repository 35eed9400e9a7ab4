"""The fleet at the desk: who sees it, what is shown, and a station's name and end."""

from __future__ import annotations

import inspect
import re

import msgspec
import pytest
from lab.desk.office import Office
from lab.matrix.desk_pages import enrolled

from kiosk.authority.stations.report_call import ReaderStanding
from kiosk.authority.stations.standing import SILENT_SECONDS
from kiosk.core.errors import Message
from kiosk.desk.pages import stations
from kiosk.doctor.fleet_station import quick_look
from kiosk.texts import english, sentence
from storage.records import Slip, StationStanding


def signed_in(name: str) -> Office:
    office = Office()
    office.sign_in(name)
    return office


def test_the_fleet_is_an_administrators() -> None:
    for name in ("hanna", "olga", "aaron"):
        office = signed_in(name)
        assert office.refusal("stations") is None, "it is not offered"
        office.choose("stations")
        assert office.page.name == "menu"


def test_without_a_fleet_it_is_said_how_a_station_enrolls() -> None:
    office = signed_in("ada")
    office.choose("stations")
    assert "ask an administrator for a token" in office.text()


@pytest.fixture
def office() -> Office:
    found = signed_in("ada")
    world = found.world
    world.registry.run(lambda tx: enrolled(tx, world.clock.now()))
    found.choose("stations")
    return found


def rows(office: Office) -> dict[str, tuple[bool, str]]:
    table = office.page.table
    assert table is not None
    return {
        row.key: (row.needs_somebody, " ".join(map(str, row.cells)))
        for row in table.rows
    }


def test_every_station_is_shown_with_what_it_is_and_when_it_was_heard(
    office: Office,
) -> None:
    shown = rows(office)
    assert list(shown) == ["desk-2", "lobby-7"]
    assert "desk.station.revoked" in shown["desk-2"][1]
    assert "desk.station.role_self_service" in shown["lobby-7"][1]
    assert "0.1.0" in shown["lobby-7"][1]
    assert not any(needs for needs, _ in shown.values())


def test_a_kiosk_that_is_not_heard_is_marked(office: Office) -> None:
    office.world.clock.sleep(SILENT_SECONDS + 1)
    office.back()
    office.choose("stations")
    shown = rows(office)
    assert shown["lobby-7"][0]
    assert not shown["desk-2"][0], "a desk asks only when somebody works at it"
    office.choose("lobby-7")
    assert "is it switched on" in office.text()


def says(office: Office, **said: object) -> None:
    """Let the kiosk's last report be that."""
    registry, now = office.world.registry, office.world.clock.now()
    told: dict[str, object] = {"at": now, "reader": "ready", **said}
    text = msgspec.json.encode(told).decode()
    slip = Slip(kind="report", of="lobby-7", text=text)
    registry.run(lambda tx: tx.save_slip(slip))
    office.back()
    office.choose("stations")


@pytest.mark.parametrize("said", [{"reader": "none"}, {"failing": ("file",)}])
def test_a_kiosk_that_says_it_is_not_well_is_marked(
    office: Office, said: dict[str, object]
) -> None:
    says(office)
    assert not rows(office)["lobby-7"][0]
    says(office, **said)
    assert rows(office)["lobby-7"][0]
    assert "desk.station.unhealthy" in rows(office)["lobby-7"][1]


def test_what_a_station_says_of_itself_is_shown_and_draws_nothing(
    office: Office,
) -> None:
    says(office, middleware=("\x1b[2Jlib.so",))
    office.choose("lobby-7")
    shown = office.text()
    assert "lib.so" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("language", "off", "said"),
    [
        ("en", -12.34, "12.3 s behind"),
        ("de", 12.34, "12,3 s voraus"),
        ("fr", -0.5, "en retard de 0,5 s"),
        ("es", 3600.0, "3600,0 s adelantado"),
        ("en", 0.04, "right"),
    ],
)
def test_how_far_a_clock_is_off_has_the_form_of_the_language(
    office: Office, language: str, off: float, said: str
) -> None:
    says(office, clock_off=off)
    office.choose("lobby-7")
    assert told(office, "clock", language) == said


def test_what_fails_at_a_station_is_in_words_and_the_unknown_in_its_own(
    office: Office,
) -> None:
    says(office, failing=("core dumps", "file", "warp\x1b drive"), reader="asleep")
    office.choose("lobby-7")
    assert told(office, "failing", "de") == (
        "Speicher kann auf die Platte geschrieben werden, "
        "eine Datei mit Geheimnissen, warp\ufffd drive"
    )
    assert told(office, "reader", "de") == "asleep"


def test_whatever_a_station_looks_at_and_says_has_words() -> None:
    looked_at = set(re.findall(r'\("([a-z ]+)", ', inspect.getsource(quick_look)))
    looked_at |= set(re.findall(r'add\("([a-z ]+)"\)', inspect.getsource(quick_look)))
    assert looked_at == stations._PARTS
    known = english()
    for part in looked_at:
        assert f"desk.station.part_{part.replace(' ', '_')}" in known
    assert set(ReaderStanding) == stations._READERS
    for reader in ReaderStanding:
        assert f"desk.station.reader_{reader}" in known


def told(office: Office, what: str, language: str) -> str:
    """Return what stands behind a label, in a language."""
    label = Message(f"desk.column.{what}")
    (words,) = [it.text for it in office.page.lines if it.label == label]
    parts = words if isinstance(words, tuple) else (words,)
    return "".join(
        each if isinstance(each, str) else sentence(each, language) for each in parts
    )


def test_a_station_is_renamed(office: Office) -> None:
    office.choose("lobby-7")
    office.choose("rename")
    office.submit(name="  ")
    assert office.notice == "desk.station.name_needed"
    office.submit(name="Lobby, left")
    assert office.page.name == "station"
    assert "Lobby, left" in office.text()


def test_a_station_is_revoked_with_a_reason(office: Office) -> None:
    office.choose("lobby-7")
    office.choose("revoke")
    office.submit(reason=" ")
    assert office.notice == "desk.reason_needed"
    office.submit(reason="stolen")
    registry = office.world.registry
    saved = registry.read(lambda view: view.station("lobby-7"))
    assert saved.state is StationStanding.REVOKED
    assert [it.key for it in office.page.choices] == ["rename"]
    (event,) = [it for it in registry.audit_events() if it.kind == "station.revoked"]
    assert (event.data["of"], event.data["reason"]) == ("lobby-7", "stolen")
