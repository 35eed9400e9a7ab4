"""The monitor against a real service: absent, started, killed, restarted, and cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from lab.cards.events import Watch
from lab.cards.pcscd import READERS, RENAMED, UMLAUT, Pcscd

from kiosk.cards.errors import CardBusy, CardMute, CardRemoved, ReaderGone, ServiceGone
from kiosk.cards.pcsc import PcscConnection, PcscMonitor
from kiosk.cards.ports import CardInserted
from kiosk.cards.values import CardLeft, CardUnreadable, ReadersChanged, ServiceLost
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.faults import Mute, Slow

pytestmark = pytest.mark.pcscd


@contextmanager
def held(reader: str) -> Iterator[None]:
    """Another program has the card of this reader to itself."""
    connection = PcscConnection(reader)
    connection.hold()
    try:
        yield
    finally:
        connection.close()


def a_card(seed: int = 1) -> MadeCard:
    return make_card(SeededEntropy(seed), subject="Ann", pin=b"481516", puk=b"75318642")


@pytest.fixture
def stopped(pcscd_room: Pcscd) -> Iterator[Pcscd]:
    """The service's room, with no service in it."""
    pcscd_room.stop()
    yield pcscd_room
    pcscd_room.clear()


def test_a_service_that_is_not_there_yet_is_waited_for(stopped: Pcscd) -> None:
    made = a_card()
    with Watch(PcscMonitor()) as watch:
        assert isinstance(watch.next(), ServiceLost)
        stopped.readers[0].insert(made.card)
        stopped.start()
        assert watch.next() == ReadersChanged(READERS)
        assert watch.card().recognise().identity == made.identity


def test_a_service_without_readers_says_that_there_are_none(stopped: Pcscd) -> None:
    stopped.start_without_readers()
    with Watch(PcscMonitor()) as watch:
        assert watch.next() == ReadersChanged(())
        stopped.stop()
        watch.until(ServiceLost)
        stopped.start()
        assert watch.until(ReadersChanged) == ReadersChanged(READERS)


@pytest.mark.parametrize("end", [Pcscd.stop, Pcscd.kill], ids=["stopped", "killed"])
def test_a_service_that_goes_takes_its_cards_along_and_brings_them_back(
    pcscd: Pcscd, end: Callable[[Pcscd], None]
) -> None:
    made = a_card()
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        before = watch.card()
        before.recognise()
        end(pcscd)
        assert watch.next() == CardLeft(before.insertion)
        assert isinstance(watch.next(), ServiceLost)
        with pytest.raises(ServiceGone):
            before.recognise()
        pcscd.start()
        assert watch.next() == ReadersChanged(READERS)
        after = watch.card()
        assert after.insertion != before.insertion
        assert after.recognise().identity == made.identity


def test_the_loss_of_a_service_is_told_once(pcscd: Pcscd) -> None:
    with Watch(PcscMonitor()) as watch:
        watch.until(ReadersChanged)
        for _ in range(3):
            pcscd.kill()
            assert isinstance(watch.next(), ServiceLost)
            pcscd.start()
            assert watch.next() == ReadersChanged(READERS)


def test_a_service_that_stands_still_is_lost_and_comes_back(pcscd: Pcscd) -> None:
    made = a_card()
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        before = watch.card()
        pcscd.freeze()
        try:
            assert watch.next() == CardLeft(before.insertion)
            assert watch.next() == ServiceLost("no answer")
        finally:
            pcscd.thaw()
        assert watch.next() == ReadersChanged(READERS)
        assert watch.card().recognise().identity == made.identity


def test_a_monitor_of_a_service_that_stands_still_can_be_stopped(pcscd: Pcscd) -> None:
    monitor = PcscMonitor()
    with Watch(monitor) as watch:
        watch.until(ReadersChanged)
        pcscd.freeze()
        try:
            watch.until(ServiceLost)
            monitor.stop()
        finally:
            pcscd.thaw()


def test_readers_that_come_back_under_another_name_bring_their_card(
    pcscd: Pcscd,
) -> None:
    made = a_card()
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        before = watch.card()
        pcscd.start_renamed()
        assert watch.next() == CardLeft(before.insertion)
        watch.until(ServiceLost)
        assert watch.next() == ReadersChanged(RENAMED)
        after = watch.card(RENAMED[0])
        assert after.recognise().identity == made.identity
        with pytest.raises((ReaderGone, ServiceGone)):
            before.recognise()


def test_a_card_that_another_program_keeps_to_itself_is_told_and_is_busy_until_then(
    pcscd: Pcscd,
) -> None:
    made = a_card()
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as first:
        first.card()
        with held(READERS[0]), Watch(PcscMonitor()) as watch:
            card = watch.card()
            with pytest.raises(CardBusy):
                card.recognise()
        assert card.recognise().identity == made.identity
        card.close()


def test_a_card_that_answers_only_after_a_while_is_recognised(pcscd: Pcscd) -> None:
    made = a_card()
    pcscd.readers[0].faults.set(Slow(seconds=0.7))
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(made.card)
        assert watch.card().recognise().identity == made.identity


def test_two_cards_in_two_readers_are_two_insertions(pcscd: Pcscd) -> None:
    first, second = a_card(1), a_card(2)
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(first.card)
        left = watch.card(READERS[0])
        pcscd.readers[1].insert(second.card)
        right = watch.card(READERS[1])
        assert left.recognise().identity == first.identity
        assert right.recognise().identity == second.identity
        pcscd.readers[0].pull()
        assert watch.until(CardLeft) == CardLeft(left.insertion)
        assert right.recognise().identity == second.identity


def test_a_card_exchanged_for_another_leaves_first(pcscd: Pcscd) -> None:
    first, second = a_card(1), a_card(2)
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(first.card)
        before = watch.card()
        pcscd.readers[0].insert(second.card)
        assert watch.next() == CardLeft(before.insertion)
        inserted = watch.next()
        assert isinstance(inserted, CardInserted)
        assert inserted.card.recognise().identity == second.identity
        with pytest.raises(CardRemoved):
            before.recognise()


def test_a_mute_card_is_told_and_so_is_its_end(pcscd: Pcscd) -> None:
    reader = pcscd.readers[0]
    with Watch(PcscMonitor()) as watch:
        watch.until(ReadersChanged)
        reader.faults.set(Mute())
        reader.insert(a_card().card)
        assert watch.next() == CardUnreadable(READERS[0])
        reader.pull()
        assert watch.next() == ReadersChanged(READERS)
        reader.faults.set()
        reader.insert(a_card().card)
        watch.card().recognise()


def test_a_card_that_falls_silent_can_no_longer_be_spoken_to(pcscd: Pcscd) -> None:
    reader = pcscd.readers[0]
    with Watch(PcscMonitor()) as watch:
        reader.insert(a_card().card)
        card = watch.card()
        reader.faults.set(Mute())
        with pytest.raises((CardMute, CardRemoved)):
            card.recognise()


def test_only_the_readers_of_the_station_are_watched(pcscd: Pcscd) -> None:
    with Watch(PcscMonitor(["00 01"])) as watch:
        assert watch.next() == ReadersChanged((READERS[1],))
        pcscd.readers[0].insert(a_card(1).card)
        pcscd.readers[1].insert(a_card(2).card)
        assert watch.card().reader == READERS[1]


def test_a_monitor_stops_at_once_with_and_without_a_service(pcscd: Pcscd) -> None:
    for turn in (pcscd.start, pcscd.stop):
        turn()
        monitor = PcscMonitor()
        with Watch(monitor) as watch:
            watch.next()
        assert not monitor._thread.is_alive()


# --- names of readers ----------------------------------------------------------------


def test_a_reader_with_an_umlaut_is_a_reader_like_any_other(stopped: Pcscd) -> None:
    made = a_card()
    stopped.start_with_an_umlaut()
    with Watch(PcscMonitor()) as watch:
        assert watch.until(ReadersChanged) == ReadersChanged(UMLAUT)
        stopped.readers[0].insert(made.card)
        assert watch.card().recognise().identity == made.identity


def test_a_reader_whose_name_is_no_utf_8_does_not_hide_the_others(
    stopped: Pcscd, caplog: pytest.LogCaptureFixture
) -> None:
    stopped.start_beside_latin_1()
    with Watch(PcscMonitor()) as watch:
        there = watch.next()
        assert isinstance(there, ReadersChanged)
        assert there.readers == READERS
        assert there.left_out == tuple(f"Leseger\udce4t 00 0{slot}" for slot in "01")
        stopped.stop()
        assert isinstance(watch.next(), ServiceLost)
    assert "Leseger\\udce4t" in caplog.text
