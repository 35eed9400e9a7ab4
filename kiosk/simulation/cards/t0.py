"""A simulated card that speaks T=0, strictly (ISO/IEC 7816-3 §12.2).

In T=0 the fifth byte is the length of what follows or of what is wanted, never both:
a command with data has no Le, its answer is fetched with GET RESPONSE, and a wrong
length is answered with 6Cxx and the right one.
"""

from __future__ import annotations

from kiosk.cards import status
from kiosk.simulation.cards.chip import Chip

ATR = bytes.fromhex("3B6D00008073C021C057597562694B6579")
"""Offers T=0 alone."""
_GET_RESPONSE = 0xC0
_CLASS, _INS = 0, 1


class StrictT0Card:
    """Any card, behind this protocol. One thread at a time."""

    def __init__(self, card: Chip) -> None:
        self.card = card
        """The card itself, for those who watch it."""
        self._waiting = b""
        self._sw = status.OK

    @property
    def atr(self) -> bytes:
        return ATR

    def power_on(self) -> bytes:
        """Reset the card. Returns the ATR."""
        self.card.power_on()
        self._waiting = b""
        return ATR

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Take one TPDU header with its data, return data and status word."""
        if len(apdu) < 5 or len(apdu) not in (5, 5 + apdu[4]):
            return _only(status.WRONG_LENGTH)
        if apdu[_INS] == _GET_RESPONSE:
            return self._fetched(apdu[4] or 256)
        self._waiting = b""
        has_data = len(apdu) > 5
        self._waiting, self._sw = _whole(self.card, apdu if has_data else apdu[:4])
        if not self._waiting:
            return _only(self._sw)
        if has_data:
            return _only(_more(len(self._waiting)))
        return self._fetched(apdu[4] or 256)

    def _fetched(self, wanted: int) -> bytearray:
        """Give out what waits. More than there is, or less than all: 6Cxx, 61xx."""
        if not self._waiting:
            return _only(status.CONDITIONS)
        there = len(self._waiting)
        if wanted > there:
            return _only(0x6C00 | there)
        part, self._waiting = self._waiting[:wanted], self._waiting[wanted:]
        rest = len(self._waiting)
        return bytearray(part) + _only(_more(rest) if rest else self._sw)


def _whole(card: Chip, apdu: bytes | bytearray) -> tuple[bytes, int]:
    """Have a command carried out; return its whole answer and how it ended."""
    answer = card.transmit(apdu)
    data = bytes(answer[:-2])
    while answer[-2] == 0x61:
        answer = card.transmit(bytes((apdu[_CLASS], _GET_RESPONSE, 0, 0, answer[-1])))
        data += answer[:-2]
    return data, answer[-2] << 8 | answer[-1]


def _more(waiting: int) -> int:
    """61xx; 6100 for 256 bytes and more."""
    return 0x6100 | (waiting if waiting < 256 else 0)


def _only(sw: int) -> bytearray:
    return bytearray(sw.to_bytes(2, "big"))
