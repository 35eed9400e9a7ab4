"""A station opens its authority when it is needed, and again when it could not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from lab.desk.site import Site

from kiosk.authority.errors import NotOnRecord
from kiosk.authority.local import LocalAuthority
from kiosk.cards.ports import Card, CardInserted
from kiosk.core import workers
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.station import FaceSettings, Helpdesk
from kiosk.visit.station_of_parts import OpenedAuthority, StationOfParts
from statemachine.operation import Kind
from storage.errors import StoreFull

SETTINGS = FaceSettings(
    station="kiosk-1", title="PIN kiosk", helpdesk=Helpdesk(contact="4711")
)


class Opening:
    """An authority that can be opened once `is_possible`."""

    def __init__(self) -> None:
        self.is_possible = True
        self.threads: list[str] = []
        self.closed = 0

    def __call__(self) -> OpenedAuthority:
        self.threads.append(threading.current_thread().name)
        if not self.is_possible:
            raise StoreFull(path="/registry")
        return OpenedAuthority(LocalAuthority(Site().parts, "kiosk-1"), self._close)

    def _close(self) -> None:
        self.closed += 1


@pytest.fixture
def opening() -> Opening:
    return Opening()


@pytest.fixture
def readers() -> SimulatedReaders:
    return SimulatedReaders()


@pytest.fixture
def station(readers: SimulatedReaders, opening: Opening) -> Iterator[StationOfParts]:
    station = StationOfParts(SETTINGS, readers, opening)
    yield station
    station.stop()


def inserted(readers: SimulatedReaders) -> Card:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"123456", puk=b"12345678")
    return readers.insert(made.card)


def health(station: StationOfParts) -> list[str]:
    """Ask on the authority worker, as a face does."""
    found: list[str] = []
    done = threading.Event()

    def ask() -> None:
        found.extend(f"{each.part} {each.message.key}" for each in station.health())
        done.set()

    station.on_authority_worker(ask)
    assert done.wait(10)
    return found


def test_what_cannot_be_opened_is_a_fault_and_is_tried_again(
    station: StationOfParts, opening: Opening
) -> None:
    opening.is_possible = False
    assert health(station) == ["store registry.full"]
    opening.is_possible = True
    assert health(station) == []
    assert health(station) == []
    assert opening.threads == ["authority", "authority"]


def test_a_card_that_comes_before_anything_is_open_waits_for_it(
    station: StationOfParts, readers: SimulatedReaders, opening: Opening
) -> None:
    visit = station.visit(inserted(readers))
    with pytest.raises(NotOnRecord):
        visit.recognise()
    assert opening.threads == ["authority"]


def test_a_card_that_comes_while_nothing_can_be_opened_is_told_why(
    station: StationOfParts, readers: SimulatedReaders, opening: Opening
) -> None:
    opening.is_possible = False
    with pytest.raises(StoreFull):
        station.visit(inserted(readers)).recognise()


def test_nothing_is_offered_before_the_card_is_recognised(
    station: StationOfParts, readers: SimulatedReaders
) -> None:
    with pytest.raises(NotOffered):
        station.visit(inserted(readers)).begin(Kind.CHANGE)


def test_events_of_the_readers_reach_the_face(
    station: StationOfParts, readers: SimulatedReaders
) -> None:
    events: list[object] = []
    station.start(events.append)
    inserted(readers)
    assert isinstance(events[-1], CardInserted)


def test_what_was_opened_is_closed_once_and_on_no_other_thread(
    readers: SimulatedReaders, opening: Opening
) -> None:
    station = StationOfParts(SETTINGS, readers, opening)
    health(station)
    station.stop()
    assert opening.closed == 1


def test_a_station_that_never_opened_anything_stops_without_it(
    readers: SimulatedReaders, opening: Opening
) -> None:
    StationOfParts(SETTINGS, readers, opening).stop()
    assert opening.threads == []


def test_what_the_registry_can_put_off_is_done_when_nobody_is_there(
    readers: SimulatedReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "QUIET_SECONDS", 0.01)
    site, done = Site(), threading.Event()
    threads: list[str] = []

    def idle() -> bool:
        threads.append(threading.current_thread().name)
        more = site.registry.idle(site.clock.now())
        done.set()
        return more

    def opening() -> OpenedAuthority:
        return OpenedAuthority(
            LocalAuthority(site.parts, "kiosk-1"), lambda: None, idle
        )

    station = StationOfParts(SETTINGS, readers, opening)
    health(station)
    assert done.wait(10.0)
    station.stop()
    assert set(threads) == {"authority"}


def test_what_is_done_beside_keeps_neither_cards_nor_the_authority_waiting(
    station: StationOfParts,
) -> None:
    """A printer that takes its paper slowly, and the next person."""
    is_printed, has_begun = threading.Event(), threading.Event()

    def print_slowly() -> None:
        has_begun.set()
        is_printed.wait(20)

    station.beside(print_slowly)
    assert has_begun.wait(20)
    for worker in (station.on_card_worker, station.on_authority_worker):
        is_done = threading.Event()
        worker(is_done.set)
        assert is_done.wait(20)
    assert not is_printed.is_set()
    is_printed.set()
