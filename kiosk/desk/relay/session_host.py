"""The authority's end: one session, for as long as its line lasts.

The session is the very one that a desk of its own has (`desk.session.Session`); its
cards and files are at the station. Runs on a thread of its own. Whatever ends the line
ends the session: the operator is signed out, and no card of it is used any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from kiosk.cards.any_card import AnyCard
from kiosk.cards.errors import CardError
from kiosk.core.errors import Message
from kiosk.desk.files import FileRefused, StationFiles
from kiosk.desk.relay.channel import Channel
from kiosk.desk.relay.frames import (
    Answered,
    AppendFile,
    Asked,
    Bye,
    CardCame,
    CardWent,
    Chosen,
    Contents,
    CreateFile,
    Done,
    Failed,
    FileAsked,
    Looked,
    NoFile,
    PageIs,
    ReadFile,
    Shown,
    SignedOut,
    Typed,
    WentBack,
    Working,
)
from kiosk.desk.relay.lent_card import LentCard
from kiosk.desk.relay.line import LineCut
from kiosk.desk.views import DeskPort, Filled, Page

IDLE_SECONDS = 1200.0
"""A station signs out by itself before; one that says nothing so long is gone."""
FILE_SECONDS = 30.0

MakeSession = Callable[[StationFiles], DeskPort]
"""Makes the session of a station, which has these files."""


def host(channel: Channel, make: MakeSession, is_ending: Callable[[], bool]) -> None:
    """Work until the line is cut, or this process is to end and nothing is under way.

    `make` may raise what the session is refused with: the station is told by `Bye`.
    """
    session: DeskPort | None = None
    hosted = _Hosted(channel)
    try:
        session = make(hosted.files)
        while True:
            page = hosted.step(session, channel.receive(Asked, IDLE_SECONDS))
            if is_ending():
                channel.send(Bye(Message("relay.ending")))
                return
            channel.send(PageIs(page))
    except LineCut:
        return
    finally:
        if session is not None:
            session.sign_out()
        hosted.let_go()
        channel.close()


class _Hosted:
    """What one session asks its station."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._cards: dict[int, AnyCard] = {}
        self.files = _FilesThere(channel)

    def step(self, session: DeskPort, asked: Asked) -> Page:
        """Do what the station asks; return what is to be shown."""
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
            case CardCame(insertion=insertion, reader=reader):
                return session.card_came(self._card(insertion, reader))
            case CardWent(insertion=insertion):
                self._cards.pop(insertion, None)
                return session.card_left(insertion)
            case SignedOut():
                return session.sign_out()
            case _:
                assert_never(asked)

    def let_go(self) -> None:
        """Close every card that is still there; the station has done so before."""
        for card in self._cards.values():
            try:
                card.close()
            except CardError:
                continue  # it is gone with its line
        self._cards.clear()

    # --- inside -----------------------------------------------------------------

    def _card(self, insertion: int, reader: str) -> AnyCard:
        if insertion in self._cards:
            raise LineCut  # a station never says that twice
        card = self._cards[insertion] = AnyCard(
            lambda: LentCard(self._channel, insertion, reader),
            reader=reader,
            insertion=insertion,
        )
        return card

    def _emit(self, what: Message) -> None:
        try:
            self._channel.send(Working(what))
        except LineCut:
            return  # the card, asked next, is gone too


class _FilesThere:
    """`StationFiles` at the station."""

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
