"""Simulated readers tell what a hand does, and faults spoil what a card answers."""

from __future__ import annotations

import contextlib
import threading

import msgspec
import pytest

from kiosk.cards.errors import (
    CardMute,
    CardRemoved,
    ReaderGone,
    ServiceGone,
    UnexpectedStatus,
)
from kiosk.cards.ports import CardInserted, ReaderEvent
from kiosk.cards.values import CardLeft, CardUnreadable, ReadersChanged, ServiceLost
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.faults import (
    AnyCardFault,
    CounterDrift,
    Endless,
    Garbage,
    Mute,
    PukBlockedMeanwhile,
    PullAfter,
    PullBefore,
    Slow,
    Swap,
    WrongStatus,
)
from kiosk.simulation.cards.reader import READER, SimulatedReaders


def a_card(seed: int = 1) -> MadeCard:
    return make_card(SeededEntropy(seed), subject="Ann", pin=b"481516", puk=b"75318642")


def watched(*names: str) -> tuple[SimulatedReaders, list[ReaderEvent]]:
    readers = SimulatedReaders(*names)
    events: list[ReaderEvent] = []
    readers.start(events.append)
    return readers, events


# --- the hand ------------------------------------------------------------------


def test_the_first_event_names_the_readers() -> None:
    _, events = watched("left", "right")
    assert events == [ReadersChanged(("left", "right"))]


def test_a_card_that_is_there_already_follows_at_once() -> None:
    readers = SimulatedReaders()
    readers.insert(a_card().card)
    events: list[ReaderEvent] = []
    readers.start(events.append)
    assert [type(event) for event in events] == [ReadersChanged, CardInserted]


def test_every_insertion_has_a_number_of_its_own() -> None:
    readers, events = watched()
    made = a_card()
    first = readers.insert(made.card)
    readers.pull()
    second = readers.insert(made.card)
    assert events[1:] == [
        CardInserted(first),
        CardLeft(first.insertion),
        CardInserted(second),
    ]
    assert first.insertion != second.insertion


def test_inserting_over_a_card_lets_that_one_leave_first() -> None:
    readers, events = watched()
    first = readers.insert(a_card(1).card)
    readers.insert(a_card(2).card)
    assert events[2] == CardLeft(first.insertion)
    with pytest.raises(CardRemoved):
        first.recognise()


def test_a_pulled_card_forgets_that_its_pin_was_verified() -> None:
    readers, _ = watched()
    made = a_card()
    card = readers.insert(made.card)
    with card.session(made.identity) as session:
        session.verify(Secret(b"481516"))
        readers.pull()
        assert not made.card.is_verified
        with pytest.raises(CardRemoved):
            session.tries()


def test_a_card_pushed_in_wrongly_is_told_and_so_is_its_end() -> None:
    readers, events = watched()
    readers.insert_wrongly()
    readers.pull()
    assert events[1:] == [CardUnreadable(READER), ReadersChanged((READER,))]


def test_an_unplugged_reader_takes_its_card_along() -> None:
    readers, events = watched("left", "right")
    card = readers.insert(a_card().card, "left")
    readers.unplug("left")
    assert events[2:] == [CardLeft(card.insertion), ReadersChanged(("right",))]
    with pytest.raises(ReaderGone):
        card.recognise()
    readers.plug("left")
    assert events[-1] == ReadersChanged(("right", "left"))


def test_a_service_that_stops_takes_all_cards_along_and_finds_them_again() -> None:
    readers, events = watched()
    made = a_card()
    before = readers.insert(made.card)
    readers.stop_service()
    assert events[2:] == [CardLeft(before.insertion), ServiceLost("stopped")]
    with pytest.raises(ServiceGone):
        before.recognise()
    readers.start_service()
    after = events[-1]
    assert isinstance(after, CardInserted)
    assert after.card.recognise().identity == made.identity
    with pytest.raises(CardRemoved):
        before.recognise()


def test_two_readers_do_not_know_of_each_other() -> None:
    readers, _ = watched("left", "right")
    one, other = a_card(1), a_card(2)
    left = readers.insert(one.card, "left")
    right = readers.insert(other.card, "right")
    readers.pull("left")
    assert right.recognise().identity == other.identity
    with pytest.raises(CardRemoved):
        left.recognise()


def test_a_hand_on_another_thread_never_leaves_a_verified_card_behind() -> None:
    readers, _ = watched()
    made = a_card()
    card = readers.insert(made.card)
    hand = threading.Thread(target=readers.pull)
    answer = made.card.transmit

    def answer_while_it_is_pulled(apdu: bytes | bytearray) -> bytearray:
        if apdu[1] == 0x20 and not hand.ident:
            hand.start()
            # The hand has to wait for the answer; if it could, it would be done now.
            hand.join(0.2)
        return answer(apdu)

    made.card.transmit = answer_while_it_is_pulled  # type: ignore[method-assign]  # a moment that never lasts
    with (
        contextlib.suppress(CardRemoved),
        card.session(made.identity) as session,
    ):
        session.verify(Secret(b"481516"))
    hand.join()
    assert not made.card.is_verified


# --- faults --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ('fault = "pull_before"\nat = 3', PullBefore(at=3)),
        ('fault = "pull_after"\nat = 3', PullAfter(at=3)),
        ('fault = "swap"\nat = 2\ncard = "other"', Swap(at=2, card="other")),
        (
            'fault = "wrong_status"\nins = 0x24\nsw = 0x6F00',
            WrongStatus(ins=0x24, sw=0x6F00),
        ),
        ('fault = "garbage"\nat = 1', Garbage(at=1)),
        ('fault = "endless"\nat = 1', Endless(at=1)),
        ('fault = "mute"', Mute()),
        ('fault = "slow"\nseconds = 0.5', Slow(seconds=0.5)),
        (
            'fault = "counter_drift"\nat = 3\ntries = 2',
            CounterDrift(at=3, tries=2),
        ),
        ('fault = "puk_blocked"\nat = 2', PukBlockedMeanwhile(at=2)),
    ],
)
def test_every_fault_can_be_written_in_a_scenario_file(
    written: str, fault: AnyCardFault
) -> None:
    assert msgspec.toml.decode(written, type=AnyCardFault) == fault


def test_a_pull_after_an_apdu_lets_the_card_carry_it_out() -> None:
    for fault, changed in ((PullBefore(at=3), False), (PullAfter(at=3), True)):
        readers, _ = watched()
        made = a_card()
        card = readers.insert(made.card)
        card.recognise()
        readers.faults.set(fault)
        with pytest.raises(CardRemoved), card.session(made.identity) as session:
            session.change_pin(Secret(b"481516"), Secret(b"234291"))
        assert made.card.has_pin(b"234291") is changed


def test_a_swapped_card_is_another_insertion() -> None:
    readers, events = watched()
    made, other = a_card(1), a_card(2)
    card = readers.insert(made.card)
    readers.put_ready("other", other.card)
    readers.faults.set(Swap(at=2, card="other"))
    with pytest.raises(CardRemoved):
        card.recognise()
    inserted = events[-1]
    assert isinstance(inserted, CardInserted)
    assert inserted.card.recognise().identity == other.identity


def test_a_wrong_status_happens_once_and_the_card_does_nothing() -> None:
    readers, _ = watched()
    made = a_card()
    card = readers.insert(made.card)
    readers.faults.set(WrongStatus(ins=0x20, sw=0x6F00))
    with card.session(made.identity) as session:
        with pytest.raises(UnexpectedStatus):
            session.verify(Secret(b"000000"))
        assert made.card.pin_tries_left == 3
        session.verify(Secret(b"481516"))


def test_a_mute_card_answers_nothing() -> None:
    readers, _ = watched()
    card = readers.insert(a_card().card)
    readers.faults.set(Mute())
    with pytest.raises(CardMute):
        card.recognise()


def test_a_slow_card_takes_its_time_on_the_given_clock() -> None:
    clock = ManualClock()
    readers = SimulatedReaders(clock=clock)
    card = readers.insert(a_card().card)
    readers.faults.set(Slow(seconds=2.0))
    before = clock.monotonic()
    card.recognise()
    assert clock.monotonic() - before == 8.0


def test_counting_starts_when_a_fault_is_set() -> None:
    readers, _ = watched()
    card = readers.insert(a_card().card)
    card.recognise()
    readers.faults.set(PullBefore(at=5))
    card.recognise()
    assert readers.faults.count == 3
    with pytest.raises(CardRemoved):
        card.recognise()
