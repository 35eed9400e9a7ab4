"""A card that lies: bytes of a script decide which of its answers are not its own."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards.apdu import MAX_PARTS
from kiosk.cards.piv.card import PivCard
from kiosk.cards.ports import CardError, KeyAlgorithm, KeySlot
from kiosk.cards.simulated.factory import MadeCard
from kiosk.cards.simulated.reader import READER
from kiosk.secret import Secret

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

    def __init__(self, made: MadeCard, script: Script) -> None:
        self._card = made.card
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


class Conversation:
    """Everything a visit says to a card, to one that lies."""

    def __init__(self, made: MadeCard, script: bytes) -> None:
        self._made = made
        card = made.card
        card.power_on()
        card.references.pin.replace(PIN)
        card.references.puk.replace(PUK)
        self._line = LyingLine(made, Script(script))

    def hold(self) -> None:
        """Say it all: only CardErrors come, and each call presents a value once."""
        line = self._line
        card = PivCard(lambda: line, reader=READER, insertion=1)
        for say in (_recognise, _read, _sign, _change, _unblock, _new_puk):
            line.count_anew()
            try:
                say(card, self._made)
            except CardError:
                continue


def _recognise(card: PivCard, made: MadeCard) -> None:
    card.recognise()


def _read(card: PivCard, made: MadeCard) -> None:
    with card.session(made.identity) as session:
        session.tries()
        for slot in KeySlot:
            session.certificate(slot)


def _sign(card: PivCard, made: MadeCard) -> None:
    with card.session(made.identity) as session, Secret(PIN) as pin:
        session.verify(pin)
        session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"statement")


def _change(card: PivCard, made: MadeCard) -> None:
    with card.session(made.identity) as session, Secret(PIN) as old, Secret(NEW) as new:
        session.change_pin(old, new)


def _unblock(card: PivCard, made: MadeCard) -> None:
    with card.session(made.identity) as session, Secret(PUK) as puk, Secret(NEW) as new:
        session.unblock(puk, new)


def _new_puk(card: PivCard, made: MadeCard) -> None:
    with card.session(made.identity) as session, Secret(PUK) as old, Secret(PUK) as new:
        session.change_puk(old, new)
