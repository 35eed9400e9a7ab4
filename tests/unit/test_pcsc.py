"""What states and errors of PC/SC mean: pure, without any service."""

from __future__ import annotations

import threading
from typing import Any, NoReturn

import pytest

from kiosk.cards.errors import (
    CardBusy,
    CardError,
    CardMute,
    CardRemoved,
    ReaderGone,
    ServiceDenied,
    ServiceGone,
)
from kiosk.cards.pcsc import pcsclite, winscard
from kiosk.cards.pcsc.monitor import PcscMonitor
from kiosk.cards.pcsc.slots import SETTLE_SECONDS, Slots
from kiosk.cards.pcsc.translation import translated
from kiosk.cards.pcsc.winscard import EMPTY, GONE, MUTE, PRESENT, PcscError
from kiosk.cards.piv.card import PivCard
from kiosk.cards.ports import Card, CardInserted, ReaderEvent
from kiosk.cards.values import CardLeft, CardUnreadable, ReadersChanged, ServiceLost


def card_in(reader: str, insertion: int, events: int) -> Card:
    def never() -> winscard.PcscError:
        raise AssertionError

    return PivCard(never, reader=reader, insertion=insertion)  # type: ignore[arg-type]  # never connects


class Told:
    """Slots, and what they tell, in short words."""

    def __init__(self, *readers: str) -> None:
        self.slots = Slots(card_in)
        self.readers(*readers)

    def readers(self, *names: str) -> list[str]:
        return _words(self.slots.readers(names))

    def seen(self, state: int, count: int = 0, now: float = 0.0) -> list[str]:
        return _words(self.slots.seen("reader", state | count << 16, now))

    def settle(self, now: float) -> list[str]:
        return _words(self.slots.settle(now))


def _words(events: object) -> list[str]:
    return [_word(event) for event in events]  # type: ignore[attr-defined]  # any iterator of events


def _word(event: ReaderEvent) -> str:
    match event:
        case CardInserted(card=card):
            return f"in {card.insertion}"
        case CardLeft(insertion=insertion):
            return f"out {insertion}"
        case CardUnreadable(reader=reader):
            return f"mute {reader}"
        case ReadersChanged(readers=names):
            return f"readers {','.join(names)}"
        case ServiceLost():
            return "lost"


# --- states --------------------------------------------------------------------


def test_readers_are_told_once_also_when_there_are_none() -> None:
    told = Told("a")
    assert told.readers("a") == []
    assert told.readers() == ["readers "]
    assert told.readers() == []
    assert _words(Slots(card_in).readers(())) == ["readers "]


def test_a_card_that_comes_and_goes_is_told_each_time_once() -> None:
    told = Told("reader")
    assert told.seen(EMPTY) == []
    assert told.seen(PRESENT, 1) == ["in 1"]
    assert told.seen(PRESENT, 1) == []
    assert told.seen(EMPTY, 2) == ["out 1"]
    assert told.seen(PRESENT, 3) == ["in 2"]


def test_a_card_exchanged_between_two_looks_is_noticed_by_the_counter() -> None:
    told = Told("reader")
    told.seen(PRESENT, 1)
    assert told.seen(PRESENT, 3) == ["out 1", "in 2"]


def test_a_mute_card_is_told_only_when_that_lasts() -> None:
    told = Told("reader")
    assert told.seen(PRESENT | MUTE, 1, now=0.0) == []
    assert told.slots.is_settling
    assert told.settle(SETTLE_SECONDS / 2) == []
    assert told.settle(SETTLE_SECONDS) == ["mute reader"]
    assert told.settle(20.0) == []
    assert not told.slots.is_settling


def test_a_card_pushed_in_slowly_is_never_told_as_mute() -> None:
    told = Told("reader")
    told.seen(PRESENT | MUTE, 1, now=10.0)
    told.seen(EMPTY, 2, now=10.2)
    assert told.seen(PRESENT, 3, now=10.4) == ["in 1"]
    assert told.settle(99.0) == []


def test_the_end_of_a_told_mute_card_is_told_as_readers() -> None:
    told = Told("reader")
    told.seen(PRESENT | MUTE, 1, now=10.0)
    told.settle(99.0)
    assert told.seen(EMPTY, 2) == ["readers reader"]


def test_a_card_that_falls_silent_is_no_longer_there() -> None:
    told = Told("reader")
    told.seen(PRESENT, 1)
    assert told.seen(PRESENT | MUTE, 1, now=5.0) == ["out 1"]
    assert told.seen(PRESENT, 1, now=5.1) == ["in 2"]


def test_a_reader_that_goes_takes_its_card_along() -> None:
    told = Told("reader", "other")
    told.seen(PRESENT, 1)
    assert told.readers("other") == ["out 1", "readers other"]
    assert told.seen(PRESENT, 1) == []
    assert told.readers("reader", "other") == ["readers reader,other"]


def test_a_reader_in_a_bad_state_has_no_card() -> None:
    told = Told("reader")
    told.seen(PRESENT, 1)
    assert told.seen(GONE) == ["out 1"]
    assert told.seen(PRESENT, 1) == ["in 2"]


def test_when_the_service_is_lost_every_card_is() -> None:
    told = Told("reader")
    told.seen(PRESENT, 1)
    assert _words(told.slots.lost()) == ["out 1"]
    assert told.readers("reader") == ["readers reader"]
    assert told.seen(PRESENT, 1) == ["in 2"]


# --- errors --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hresult", "error"),
    [
        (0x80100069, CardRemoved),
        (0x80100068, CardRemoved),
        (0x8010000C, CardRemoved),
        (0x80100016, CardRemoved),
        (0x80100066, CardMute),
        (0x80100067, CardMute),
        (0x8010000F, CardMute),
        (0x8010000B, CardBusy),
        (0x80100009, ReaderGone),
        (0x80100017, ReaderGone),
        (0x8010002E, ReaderGone),
        (0x8010001D, ServiceGone),
        (0x8010001E, ServiceGone),
        (0x80100013, ServiceGone),
        (0x80100003, ServiceGone),
        (0x8010002F, ServiceGone),
        (0x8010006A, ServiceDenied),
        (0x80100014, CardError),
    ],
)
def test_every_error_of_pcsc_is_one_of_ours(
    hresult: int, error: type[CardError]
) -> None:
    assert type(translated(PcscError(hresult), "reader")) is error


# --- a monitor that nothing stops --------------------------------------------------


class FakeService:
    """Stands in for the calls of `winscard`, and fails as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.readers: tuple[str, ...] = ("reader",)
        self.turns: list[tuple[str, ...]] = []
        """What the readers will be, in turn."""
        self.states: list[dict[str, int] | Exception] = []
        self.monitor: PcscMonitor | None = None
        for name in ("establish", "release", "list_readers", "status_change"):
            monkeypatch.setattr(winscard, name, getattr(self, name))

    def establish(self) -> int:
        return 1

    def release(self, context: int) -> None:
        return

    def list_readers(self, context: int) -> tuple[str, ...]:
        if self.turns:
            self.readers = self.turns.pop(0)
        return self.readers

    def status_change(
        self, context: int, seconds: float, known: dict[str, int]
    ) -> dict[str, int]:
        if not self.states:
            assert self.monitor is not None
            self.monitor.stop()
            return known
        state = self.states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    monkeypatch.setattr("kiosk.cards.pcsc.monitor._BACKOFF_SECONDS", (0.0,))
    return FakeService(monkeypatch)


def watch(service: FakeService, *names: str) -> list[str]:
    """Run a monitor in this thread until the fake service has nothing more to tell."""
    told: list[str] = []
    service.monitor = PcscMonitor(names)
    service.monitor._emit = lambda event: told.append(_word(event))
    service.monitor._run()
    return told


def test_a_reader_that_is_unplugged_while_it_is_watched_is_told(
    service: FakeService,
) -> None:
    service.states = [{"reader": PRESENT | 1 << 16}, PcscError(0x80100009)]
    service.turns = [("reader",), ("reader",), ()]
    assert watch(service) == ["readers reader", "in 1", "out 1", "readers "]


def test_readers_that_are_plugged_and_renamed_are_told_with_their_cards(
    service: FakeService,
) -> None:
    turns = [("left",), ("left", "right"), ("left", "right 2")]
    service.states = [dict.fromkeys(names, PRESENT | 1 << 16) for names in turns]
    service.turns = turns
    assert watch(service) == [
        "readers left",
        "in 1",
        "readers left,right",
        "in 2",
        "out 2",
        "readers left,right 2",
        "in 3",
    ]


@pytest.mark.parametrize("error", [PcscError(0x80100013), RuntimeError("anything")])
def test_whatever_breaks_the_monitor_it_goes_on(
    service: FakeService, error: Exception
) -> None:
    present = {"reader": PRESENT | 1 << 16}
    service.states = [present, error, error, present]
    assert watch(service) == [
        "readers reader",
        "in 1",
        "out 1",
        "lost",
        "readers reader",
        "lost",
        "readers reader",
        "in 2",
    ]


@pytest.mark.parametrize(
    ("hresult", "is_denied"), [(0x8010006A, True), (0x8010001D, False)]
)
def test_a_service_that_refuses_this_user_is_not_one_that_is_away(
    service: FakeService, hresult: int, is_denied: bool
) -> None:
    told: list[ReaderEvent] = []
    service.states = [PcscError(hresult)]
    service.monitor = PcscMonitor()
    service.monitor._emit = told.append
    service.monitor._run()
    lost = next(event for event in told if isinstance(event, ServiceLost))
    assert lost.is_denied is is_denied


def test_an_observer_that_fails_does_not_end_it(service: FakeService) -> None:
    told: list[str] = []

    def observe(event: ReaderEvent) -> None:
        told.append(_word(event))
        raise ValueError

    service.states = [{"reader": PRESENT}]
    service.monitor = PcscMonitor()
    service.monitor._emit = observe
    service.monitor._run()
    assert told == ["readers reader", "in 1"]


def test_only_readers_whose_name_was_given_are_watched(service: FakeService) -> None:
    service.readers = ("Front reader", "Fingerprint sensor")
    assert watch(service, "Front", "Desk") == ["readers Front reader"]


def test_it_is_stopped_at_once_also_just_before_it_waits(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PC/SC cancels a wait that has begun; what comes before is nothing to it."""
    lists, was_early, waits, is_cancelled = (threading.Event() for _ in range(4))

    def list_readers(context: int) -> tuple[str, ...]:
        lists.set()
        assert was_early.wait(10)
        return ()

    def status_change(*_: object) -> NoReturn:
        waits.set()
        is_cancelled.wait(10)
        raise PcscError(winscard.CANCELLED)

    def cancel(context: int) -> None:
        (is_cancelled if waits.is_set() else was_early).set()

    for each in (list_readers, status_change, cancel):
        monkeypatch.setattr(winscard, each.__name__, each)
    monitor = PcscMonitor()
    monitor.start(lambda event: None)
    assert lists.wait(10)
    monitor.stop()
    has_ended = not monitor._thread.is_alive()
    is_cancelled.set()
    assert has_ended


class GrowingList:
    """A libpcsclite with another reader each time that the names' size was asked."""

    def __init__(self, *readers: bytes) -> None:
        self._there, self._coming = [readers[0]], list(readers[1:])
        self.asked = 0

    def SCardListReaders(  # noqa: N802 - as the library calls it
        self, _context: object, _groups: object, names: Any, size: Any
    ) -> int:
        told = b"".join(name + b"\0" for name in self._there) + b"\0"
        room, size._obj.value = size._obj.value, len(told)
        if names is None:
            self.asked += 1
            if self._coming:
                self._there.append(self._coming.pop(0))
            return 0
        if room < len(told):
            return 0x80100008 - (1 << 32)  # a C int
        names.raw = told
        return 0


@pytest.mark.parametrize("coming", [0, 1, 2])
def test_a_reader_that_comes_while_they_are_listed_is_listed(
    monkeypatch: pytest.MonkeyPatch, coming: int
) -> None:
    """It was taken for a service that is lost, and with it every card."""
    readers = [f"reader {number}" for number in range(1 + coming)]
    library = GrowingList(*(name.encode() for name in readers))
    monkeypatch.setattr(pcsclite, "_library", lambda: library)
    assert pcsclite.list_readers(1) == (0, tuple(readers))
    assert library.asked == 1 + coming


def test_a_list_that_never_stops_growing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = GrowingList(*(b"reader %d" % number for number in range(99)))
    monkeypatch.setattr(pcsclite, "_library", lambda: library)
    result, names = pcsclite.list_readers(1)
    assert (result & 0xFFFFFFFF, names) == (pcsclite.NO_ROOM, ())
    assert library.asked == 4, "once, and three times again"


def test_without_the_library_the_service_is_gone_and_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pcsclite, "is_installed", lambda: False)
    with pytest.raises(PcscError) as caught:
        winscard.establish()
    assert caught.value.hresult == winscard.NO_SERVICE
    assert "libpcsclite" in caught.value.reason
    assert capfd.readouterr() == ("", "")
