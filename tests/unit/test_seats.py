"""Seats on one terminal: who is away stands still, and so does their clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.cards.ports import CardInserted, ReaderEvent
from kiosk.cards.values import CardLeft
from kiosk.faces.idleness import Idleness
from kiosk.simulation.demo import Demo
from kiosk.simulation.demo_desk import CARD_READER, DemoDesk
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui.seats import StandingClock


class Wall:
    """A clock on the wall, moved by hand (seconds)."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_clock_that_stood_goes_on_from_there() -> None:
    wall = Wall()
    clock = StandingClock(wall)
    wall.at += 5
    assert clock() == 1005
    clock.stand()
    wall.at += 60
    assert clock() == 1005
    clock.go_on()
    assert clock() == 1005
    wall.at += 7
    assert clock() == 1012
    clock.stand()
    wall.at += 100
    clock.go_on()
    assert clock() == 1012, "and stands as often as it is told to"


def test_a_clock_that_goes_is_not_set_back_by_going_on() -> None:
    wall = Wall()
    clock = StandingClock(wall)
    clock.go_on()
    wall.at += 3
    clock.go_on()
    assert clock() == 1003


def test_nobody_is_sent_home_for_the_time_in_which_they_played_somebody_else() -> None:
    wall = Wall()
    clock = StandingClock(wall)
    idleness = Idleness(SETTINGS, clock)
    clock.stand()
    wall.at += 10 * SETTINGS.idle_wipe_after
    clock.go_on()
    assert not idleness.is_near
    wall.at += SETTINGS.idle_wipe_after
    assert idleness.is_over


class Office:
    """The readers of the kiosk and of the desk, and what they told."""

    def __init__(self) -> None:
        self.demo = Demo()
        self.desk = DemoDesk(self.demo)
        self.at_kiosk: list[ReaderEvent] = []
        self.at_desk: list[ReaderEvent] = []
        self.demo.readers.start(self.at_kiosk.append)
        self.desk.readers.start(self.at_desk.append)

    def carols(self) -> int:
        names = [card.name for card in self.desk.cards]
        return names.index("Carol Clark")


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.desk.stop()
    office.demo.world.stop()


def test_a_card_that_is_put_in_at_the_desk_has_left_the_kiosk(office: Office) -> None:
    office.demo.insert(2)
    office.desk.insert(office.carols())
    assert not office.demo.readers.has_card()
    assert isinstance(office.at_kiosk[-1], CardLeft)
    assert isinstance(office.at_desk[-1], CardInserted)


def test_and_the_other_way_round(office: Office) -> None:
    office.desk.insert(office.carols())
    office.demo.insert(2)
    assert not office.desk.readers.has_card(CARD_READER)
    assert isinstance(office.at_desk[-1], CardLeft)
    assert isinstance(office.at_kiosk[-1], CardInserted)


def test_a_card_stays_where_nobody_moves_it(office: Office) -> None:
    office.demo.insert(0)
    office.desk.insert(office.carols())
    assert office.demo.readers.has_card()
