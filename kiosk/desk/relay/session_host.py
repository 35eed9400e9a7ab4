"""The authority's end: one session, for as long as its line lasts.

The session is the very one that a desk of its own has (`desk.session.Session`); its
cards and files are at the station. Runs on a thread of its own. Whatever ends the line
ends the session: the operator is signed out, and no card of it is used any more.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, assert_never

from kiosk.authority.office.ports import OFFICE_ERRORS
from kiosk.cards.errors import CardError
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.frame_line import LineCut, Turns
from kiosk.desk.files import FileRefused, StationFiles
from kiosk.desk.relay.channel import Channel
from kiosk.desk.relay.frames import (
    Answered,
    AppendFile,
    Asked,
    BeginFile,
    Bye,
    CardCame,
    CardWent,
    Chosen,
    Contents,
    CreateFile,
    Done,
    EndFile,
    Failed,
    FileAsked,
    Looked,
    NoFile,
    PageIs,
    ReadFile,
    Shown,
    SignedOut,
    StillWaited,
    Typed,
    WentBack,
    Working,
)
from kiosk.desk.relay.lent_card import AnyLentCard, LentCard
from kiosk.desk.views import DeskPort, Filled, Page

if TYPE_CHECKING:
    from typing_extensions import Buffer

IDLE_SECONDS = 1200.0
"""A station signs out by itself before; one that says nothing so long is gone."""
FILE_SECONDS = 30.0
TOLD = (KioskError, *OFFICE_ERRORS)
"""What ends a session with a sentence."""

CHUNK = 256 * 1024
"""Bytes of a long file that go in one frame."""
MOST_CARDS = 16
"""In the readers of one station."""

MakeSession = Callable[[StationFiles, Callable[[], bool]], DeskPort]
"""Makes the session of a station, which has these files and whose operator waits."""


def host(
    channel: Channel, make: MakeSession, still: Callable[[], None], turns: Turns
) -> None:
    """Work until the line is cut, or no more steps are begun.

    `still` lets the station pass before each step. What it raises, or `make`, is told
    to the station as the session's end.
    """
    session: DeskPort | None = None
    hosted = _Hosted(channel)
    try:
        session = make(hosted.files, hosted.waits)
        while hosted.takes_turn(session, still, turns):
            pass
        channel.send(Bye(Message("relay.ending")))
    except LineCut:
        return
    except TOLD as error:
        end(channel, said_of(error))
    finally:
        if session is not None:
            session.sign_out()
        hosted.let_go()
        channel.close()


def end(channel: Channel, why: Message) -> None:
    """Say why there is no session, and leave."""
    with suppress(LineCut):
        channel.send(Bye(why))
    channel.close()


class _Hosted:
    """What one session asks its station."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._cards: dict[int, AnyLentCard] = {}
        self._can_stop = False
        """Does the station answer whether its operator still waits?"""
        self.files = _FilesThere(channel)

    def takes_turn(
        self, session: DeskPort, still: Callable[[], None], turns: Turns
    ) -> bool:
        """Do one thing; False: no more are done. LineCut, what `still` raises."""
        asked = self._channel.receive(Asked, IDLE_SECONDS)
        try:
            if not turns.begin():
                return False
            still()
            page = self.step(session, asked)
        finally:
            is_more = turns.done()
            if isinstance(asked, Typed):
                Filled({}, asked.secrets).wipe()
        self._channel.send(PageIs(page))  # the last one too: nobody else has its PIN
        return is_more

    def step(self, session: DeskPort, asked: Asked) -> Page:
        """Do what the station asks; return what is to be shown."""
        self._can_stop = isinstance(asked, Chosen | Typed) and asked.can_stop
        self.files.can_drop = isinstance(asked, Typed) and asked.can_drop
        match asked:
            case Shown():
                return session.page()
            case Chosen(key=key):
                return session.choose(key, self._emit)
            case Typed(texts=texts, secrets=secrets):
                return session.submit(Filled(texts, secrets), self._emit)
            case Looked(look=look):
                return session.look(look)
            case WentBack():
                return session.back()
            case CardCame():
                return session.card_came(self._card(asked))
            case CardWent(insertion=insertion):
                self._cards.pop(insertion, None)
                return session.card_left(insertion)
            case SignedOut():
                return session.sign_out()
            case _:
                assert_never(asked)

    def waits(self) -> bool:
        """Ask whether the station's operator still waits; a station that is gone does
        not.
        """
        if not self._can_stop:
            return True
        try:
            self._channel.send(StillWaited())
            return isinstance(self._channel.receive(Answered, FILE_SECONDS), Done)
        except LineCut:
            return False

    def let_go(self) -> None:
        """Close every card that is still there; the station has done so before."""
        for card in self._cards.values():
            try:
                card.close()
            except CardError:
                continue  # it is gone with its line
        self._cards.clear()

    # --- inside -----------------------------------------------------------------

    def _card(self, came: CardCame) -> AnyLentCard:
        insertion, reader = came.insertion, came.reader
        if insertion in self._cards or len(self._cards) >= MOST_CARDS:
            raise LineCut  # no station says that
        card = self._cards[insertion] = AnyLentCard(
            lambda: LentCard(self._channel, insertion, reader),
            reader=reader,
            insertion=insertion,
            requires_pad=came.requires_pad,
        )
        return card

    def _emit(self, what: Message) -> None:
        try:
            self._channel.send(Working(what))
        except LineCut:
            return  # the card, asked next, is gone too


class _FilesThere:
    """`StationFiles` at the station."""

    can_drop = False
    """Does the station remove again what it began to write?"""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def read(self, name: str, *, most: int) -> bytes | None:
        answer = self._ask(ReadFile(name, most))
        if isinstance(answer, NoFile):
            return None
        if not isinstance(answer, Contents):
            raise FileRefused(reason="")
        return answer.data

    def create(self, name: str, data: bytes) -> None:
        self._done(CreateFile(name, data))

    def append(self, name: str, data: bytes) -> None:
        self._done(AppendFile(name, data))

    @contextmanager
    def written(self, name: str) -> Iterator[BinaryIO]:
        if not self.can_drop:
            self.create(name, b"")
            with self._appended(name) as stream:
                yield stream
            return
        self._done(BeginFile(name))
        try:
            with self._appended(name) as stream:
                yield stream
        except BaseException:
            with suppress(FileRefused):  # who has no line any more removes it, too
                self._done(EndFile(name, is_whole=False))
            raise
        self._done(EndFile(name, is_whole=True))

    def _appended(self, name: str) -> BinaryIO:
        return io.BufferedWriter(_Appended(self, name), CHUNK)

    def _done(self, asked: FileAsked) -> None:
        if not isinstance(self._ask(asked), Done):
            raise FileRefused(reason="")

    def _ask(self, asked: FileAsked) -> Answered:
        try:
            self._channel.send(asked)
            answer: Answered = self._channel.receive(Answered, FILE_SECONDS)
        except LineCut as error:
            raise FileRefused(reason="line") from error
        if isinstance(answer, Failed):
            raise FileRefused(reason=str(answer.data.get("reason", "")))
        return answer


class _Appended(io.RawIOBase):
    """What is written is added to a file of the station."""

    def __init__(self, files: _FilesThere, name: str) -> None:
        self._files, self._name = files, name

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        part = bytes(data)[:CHUNK]
        self._files.append(self._name, part)
        return len(part)
