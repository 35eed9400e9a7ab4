"""A card at a station, as its session has it: `cards.ports.Connection`.

Every call is asked over the session's channel. A line that is cut is a card that was
pulled: whatever works on it then does what it does about that. Session's thread.
"""

from __future__ import annotations

from typing import Any

from kiosk.cards import errors
from kiosk.cards.any_card import AnyCard
from kiosk.cards.errors import (
    CardError,
    CardMute,
    CardRemoved,
    NotLent,
    UnknownCard,
)
from kiosk.cards.ports import Pinpad
from kiosk.cards.values import Family, PadCommand, RecognisedCard
from kiosk.core.frame_line import LineCut
from kiosk.core.secret import Secret
from kiosk.desk.relay.channel import Channel
from kiosk.desk.relay.frames import (
    Answered,
    Begin,
    Connect,
    Connected,
    Disconnect,
    Done,
    End,
    Failed,
    Frame,
    Hold,
    PadModify,
    PadVerify,
    Replied,
    Status,
    Transmit,
)

CARD_SECONDS = 180.0
"""For one answer of the station: a key of RSA-2048 that is made on a slow card, or
somebody who types at the reader.
"""
LARGEST_REPLY = 4096
"""Bytes; a short response APDU has 258."""

_KINDS = {
    it.code: it
    for it in vars(errors).values()
    if isinstance(it, type) and issubclass(it, CardError)
}


class LentCard:
    """`Connection` to the card of one insertion."""

    def __init__(self, channel: Channel, insertion: int, reader: str) -> None:
        """Connect. CardError."""
        self._channel = channel
        self._insertion = insertion
        self._reader = reader
        self._is_open = True
        told = self._ask(Connect(insertion), Connected)
        self._atr: bytes = told.atr
        self._pad = _LentPad(self) if told.has_pad else None

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def atr(self) -> bytes:
        return self._atr

    @property
    def pinpad(self) -> Pinpad | None:
        return self._pad

    def begin(self) -> None:
        self._ask(Begin(self._insertion), Done)

    def hold(self) -> None:
        self._ask(Hold(self._insertion), Done)

    def end(self) -> None:
        self._leave(End(self._insertion))

    def transmit(self, apdu: bytearray) -> bytearray:
        with Secret(apdu) as command:
            told = self._ask(Transmit(self._insertion, command), Replied)
        with told.data as reply:
            if not 2 <= len(reply) <= LARGEST_REPLY:
                raise CardMute(reader=self._reader)
            return bytearray(reply.reveal())

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._leave(Disconnect(self._insertion))

    # --- inside -----------------------------------------------------------------

    def at_pad(self, frame: PadVerify | PadModify) -> int:
        """Have something typed at the reader; return the card's status word."""
        word: int = self._ask(frame, Status).word
        return word

    @property
    def insertion(self) -> int:
        """Which card it is, at its station."""
        return self._insertion

    def _leave(self, frame: Frame) -> None:
        """Say what is ended; the station ends it by itself where it does not hear."""
        try:
            self._channel.send(frame)
            self._channel.receive(Answered, CARD_SECONDS)
        except LineCut:
            return

    def _ask(self, frame: Frame, kind: type[Any]) -> Any:  # Any: one of the answers
        """Ask the station. CardError, CardRemoved too where the line is cut."""
        try:
            self._channel.send(frame)
            answer = self._channel.receive(Answered, CARD_SECONDS)
        except LineCut:
            raise CardRemoved(reader=self._reader) from None
        if isinstance(answer, Failed):
            raise _rebuilt(answer, self._reader)
        if not isinstance(answer, kind):
            self._channel.close()  # it answers something else: nothing fits any more
            raise CardRemoved(reader=self._reader)
        return answer


class AnyLentCard(AnyCard):
    """A card at a station, of the families that its bytes are enough for."""

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        """As `AnyCard`. NotLent: it may be one for the middleware of that station."""
        if family is Family.PKCS11:
            raise NotLent(reader=self.reader)
        try:
            return super().recognise(family)
        except UnknownCard:
            raise NotLent(reader=self.reader) from None


class _LentPad:
    """`Pinpad` of a reader at a station."""

    def __init__(self, card: LentCard) -> None:
        self._card = card

    def verify(self, command: PadCommand) -> int:
        return self._card.at_pad(PadVerify(self._card.insertion, *_fields(command)))

    def modify(
        self,
        command: PadCommand,
        *,
        asks_current: bool = True,
        known: Secret | None = None,
    ) -> int:
        fields = _fields(command)
        return self._card.at_pad(
            PadModify(self._card.insertion, *fields, asks_current, known)
        )


def _fields(command: PadCommand) -> tuple[bytes, int, int, int]:
    return command.header, command.block, command.minimum, command.maximum


def _rebuilt(failed: Failed, reader: str) -> CardError:
    """Return the error that the station told; CardMute: it is none of a connection."""
    try:
        return _KINDS[failed.code](**failed.data)
    except (KeyError, TypeError):
        return CardMute(reader=reader)
