"""What can go wrong with a card, as data: tests and scenario files share it.

`at` counts APDUs from 1, from when the fault was set. Each happens once, except
`Endless`, `Mute` and `Slow`, which last. `Faults` makes them happen. What somebody else
does to a card between two APDUs needs the application selected: from APDU 2 on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kiosk.cards.errors import CardMute, CardRemoved
from kiosk.core.clock import Clock


class CardFault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault"):
    """Base of all card faults."""


class PullBefore(CardFault, frozen=True, kw_only=True, tag="pull_before"):
    """The card leaves before APDU `at` reaches it."""

    at: int


class PullAfter(CardFault, frozen=True, kw_only=True, tag="pull_after"):
    """The card executes APDU `at` and leaves before its answer arrives."""

    at: int


class Swap(CardFault, frozen=True, kw_only=True, tag="swap"):
    """The card leaves before APDU `at`, and another takes its place."""

    at: int
    card: str
    """The name it was put ready under."""


class WrongStatus(CardFault, frozen=True, kw_only=True, tag="wrong_status"):
    """The next command with this instruction answers `sw` and does nothing."""

    ins: int
    sw: int


class Garbage(CardFault, frozen=True, kw_only=True, tag="garbage"):
    """APDU `at` is not carried out; the answer means nothing (and ends in 9000)."""

    at: int
    data: bytes = b"\x53\x83\xff\xff\xff\x01"


class Endless(CardFault, frozen=True, kw_only=True, tag="endless"):
    """From APDU `at` on every answer says that more is waiting."""

    at: int


class Mute(CardFault, frozen=True, kw_only=True, tag="mute"):
    """The card answers nothing at all."""


class Slow(CardFault, frozen=True, kw_only=True, tag="slow"):
    """Every APDU takes `seconds` longer."""

    seconds: float


class CounterDrift(CardFault, frozen=True, kw_only=True, tag="counter_drift"):
    """Before APDU `at` somebody else tries wrong PINs, in the same selection."""

    at: int
    tries: int = 1


class PukBlockedMeanwhile(CardFault, frozen=True, kw_only=True, tag="puk_blocked"):
    """Before APDU `at` somebody else uses up the PUK, in the same selection."""

    at: int


AnyCardFault = (
    PullBefore
    | PullAfter
    | Swap
    | WrongStatus
    | Garbage
    | Endless
    | Mute
    | Slow
    | CounterDrift
    | PukBlockedMeanwhile
)

_MOST_TRIES = 255
_WRONG_PIN = bytes.fromhex("0020008008" + "303030303030FFFF")
_WRONG_PUK = bytes.fromhex("002C008010" + "3030303030303030" + "303030303030FFFF")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHand:
    """What a fault may do to the card of one reader."""

    reader: str
    pull: Callable[[], object]
    swap: Callable[[str], object]


class Faults:
    """The faults that are set, and the APDUs seen since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: list[AnyCardFault] = []
        self._count = 0

    def set(self, *faults: AnyCardFault) -> None:
        """Replace all faults and count from 1 again."""
        self._set = list(faults)
        self._count = 0

    @property
    def count(self) -> int:
        """APDUs since `set`."""
        return self._count

    @property
    def is_mute(self) -> bool:
        """The card answers nothing, not even when it is powered."""
        return any(isinstance(fault, Mute) for fault in self._set)

    def transmit(
        self,
        apdu: bytearray,
        card: Callable[[bytearray], bytearray],
        hand: FaultHand,
    ) -> bytearray:
        """Let `card` answer, or what the faults make of it. CardRemoved, CardMute."""
        self._count += 1
        for fault in tuple(self._set):
            answer = self._spoil(fault, apdu, card, hand)
            if answer is not None:
                return answer
        return card(apdu)

    def _spoil(
        self,
        fault: AnyCardFault,
        apdu: bytearray,
        card: Callable[[bytearray], bytearray],
        hand: FaultHand,
    ) -> bytearray | None:
        """Return the answer in place of the card's, if the fault gives one."""
        now = self._count
        match fault:
            case PullBefore(at=at) if at == now:
                hand.pull()
                raise CardRemoved(reader=hand.reader)
            case PullAfter(at=at) if at == now:
                card(apdu)
                hand.pull()
                raise CardRemoved(reader=hand.reader)
            case Swap(at=at, card=name) if at == now:
                hand.swap(name)
                raise CardRemoved(reader=hand.reader)
            case WrongStatus(ins=ins, sw=sw) if ins == apdu[1]:
                self._set.remove(fault)
                return bytearray(sw.to_bytes(2, "big"))
            case Garbage(at=at, data=data) if at == now:
                return bytearray(data + b"\x90\x00")
            case Endless(at=at) if at <= now:
                return bytearray(b"\x00" * 256 + b"\x61\x00")
            case Mute():
                raise CardMute(reader=hand.reader)
            case CounterDrift(at=at, tries=tries) if at == now:
                _present(card, _WRONG_PIN, tries)
            case PukBlockedMeanwhile(at=at) if at == now:
                _present(card, _WRONG_PUK, _MOST_TRIES)
            case Slow(seconds=seconds):
                self._clock.sleep(seconds)
        return None


def _present(
    card: Callable[[bytearray], bytearray], command: bytes, times: int
) -> None:
    """Present a wrong value, until the card counts no further."""
    for _ in range(times):
        sw = int.from_bytes(card(bytearray(command))[-2:], "big")
        if sw & 0xFF00 != 0x6300:
            return
