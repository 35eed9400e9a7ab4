"""A card that lies: bytes of a script decide which of its answers are not its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Protocol

from kiosk.cards.any_card import AnyCard
from kiosk.cards.apdu import MAX_PARTS
from kiosk.cards.errors import CardError
from kiosk.cards.ports import Card, CardSession
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret
from kiosk.simulation.cards.reader import READER

PIN, NEW, PUK = b"123456", b"234291", b"12345678"
COMPARES = frozenset({0x20, 0x24, 0x2C})
_FORGED = 0x80
"""From this control byte on, an answer is not the card's."""
_UNHEARD = 0x40
"""Set in the control byte of a forged answer: the card did not even get the command."""
_LONG, _FILLED, _NO_STATUS = 0x20, 0x10, 0x08
"""Its data are 257 times as long; filled up to that length; without a status word."""
STATUS = (
    0x9000, 0x6100, 0x6101, 0x61FF, 0x6C00, 0x6C08, 0x6300, 0x6301, 0x63C0, 0x63C1,
    0x63CF, 0x6700, 0x6982, 0x6983, 0x6984, 0x6985, 0x6986, 0x6A80, 0x6A81, 0x6A82,
    0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x6F00, 0x0000, 0xFFFF,
)  # fmt: skip
MOST_APDUS = 4 * (MAX_PARTS + 8)
"""APDUs of one call, whatever the card says: each of its commands ends by itself."""


class TooMuch(AssertionError):
    """More was sent to the card than one call may send."""


class Script:
    """Bytes read as decisions; after the last of them the card is honest."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """Return the next byte; 0 after the end."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def take(self, count: int) -> bytes:
        """Return the next bytes, as many as there are."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken


class Liar:
    """Answers in a card's place, where its script says so."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.lies = 0

    def transmit(
        self, apdu: bytearray, card: Callable[[bytearray], bytearray]
    ) -> bytearray:
        """Let the card answer, or lie; the card may not even hear the command."""
        control = self._script.byte()
        if control < _FORGED:
            return card(apdu)
        self.lies += 1
        if not control & _UNHEARD:
            card(apdu)
        return self._forged(control)

    def _forged(self, control: int) -> bytearray:
        count = self._script.byte()
        if control & _LONG:
            count *= 257
        data = self._script.take(count)
        if control & _FILLED:
            data = data.ljust(count, b"\x61")
        if control & _NO_STATUS:
            return bytearray(data)
        sw = STATUS[self._script.byte() % len(STATUS)]
        return bytearray(data + sw.to_bytes(2, "big"))


def lie(*, data: bytes = b"", sw: int | None, heard: bool = True) -> bytes:
    """Return the part of a script that tells this lie (at most 255 bytes of data)."""
    control = _FORGED | (0 if heard else _UNHEARD) | (_NO_STATUS if sw is None else 0)
    told = b"" if sw is None else bytes((STATUS.index(sw),))
    return bytes((control, len(data))) + data + told


HONEST = b"\x00"
"""The part of a script that lets the card answer once."""


class LyingLine:
    """`ports.Connection` to a card, some of whose answers are forged."""

    reader = READER
    atr = b"\x3b\x00"
    pinpad = None

    def __init__(self, card: Talker, script: Script) -> None:
        self._card = card
        self._liar = Liar(script)
        self.apdus = 0
        """Since `count_anew`."""
        self.compares = 0
        self._accepted = b""
        """What the card has taken: presenting it again costs no try."""

    def count_anew(self) -> None:
        """Another call begins."""
        self.apdus = self.compares = 0
        self._accepted = b""

    def begin(self) -> None:
        """Nobody else is there."""

    def hold(self) -> None:
        """Nobody else is there."""

    def end(self) -> None:
        self._card.power_on()

    def close(self) -> None:
        self._card.power_on()

    def transmit(self, apdu: bytearray) -> bytearray:
        self.apdus += 1
        if self.apdus > MOST_APDUS:
            raise TooMuch(f"{self.apdus} APDUs")
        compared = bytes(apdu) if does_compare(apdu) else b""
        self.compares += compared != self._accepted and bool(compared)
        if self.compares > 1:
            raise TooMuch("a value was presented twice")
        answer = self._liar.transmit(apdu, self._card.transmit)
        if compared and answer[-2:] == b"\x90\x00":
            self._accepted = compared
        return answer


def does_compare(apdu: bytearray) -> bool:
    """Say whether this command presents a value that the card counts."""
    return apdu[1] in COMPARES and len(apdu) > 5


class Talker(Protocol):
    """A card of software, whatever its family."""

    def power_on(self) -> bytes: ...

    def transmit(self, apdu: bytearray) -> bytearray: ...

    def set_pin(self, pin: bytes) -> None: ...

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None: ...


class Conversation:
    """Everything a visit says to a card, to one that lies."""

    def __init__(
        self,
        card: Talker,
        identity: CardIdentity,
        algorithm: KeyAlgorithm,
        script: bytes,
    ) -> None:
        """The card's PIN and PUK must be, or become, those of this module."""
        card.power_on()
        card.set_pin(PIN)
        card.set_tries(puk=3)
        self._identity = identity
        self._algorithm = algorithm
        self._line = LyingLine(card, Script(script))

    def hold(self) -> None:
        """Say it all: only CardErrors come, and each call presents a value once."""
        line = self._line
        card = AnyCard(lambda: line, reader=READER, insertion=1)
        self._say(card.recognise)
        for words in (
            self._read,
            self._sign,
            lambda it: it.change_pin(Secret(PIN), Secret(NEW)),
            lambda it: it.unblock(Secret(PUK), Secret(NEW)),
            lambda it: it.change_puk(Secret(PUK), Secret(PUK)),
            lambda it: it.answer(it.challenge(), Secret(NEW)),
            self._authenticate,
        ):
            self._say(partial(self._in_session, card, words))

    def _say(self, words: Callable[[], object]) -> None:
        self._line.count_anew()
        with contextlib.suppress(CardError):
            words()

    def _in_session(self, card: Card, words: Callable[[CardSession], object]) -> None:
        with card.session(self._identity) as session:
            words(session)

    def _read(self, session: CardSession) -> None:
        session.tries()
        for slot in KeySlot:
            session.certificate(slot)

    def _sign(self, session: CardSession) -> None:
        session.verify(Secret(PIN))
        session.sign(KeySlot.AUTHENTICATION, self._algorithm, b"statement")

    def _authenticate(self, session: CardSession) -> None:
        session.begin_mutual(bytes(16))
        session.end_mutual(bytes(40))
        session.reset_pin(Secret(NEW))
