"""The station's end: an operator's pages, whose session works at the authority.

`desk.views.DeskPort` over a channel. A line that is cut, or a session that the
authority has ended, is a page that says so, and every card is let go at once; the next
thing that is asked begins a new session. Desk worker's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.cards.ports import Card, Monitor, ReaderEvent
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.figures import UNTOLD, Figures
from kiosk.core.frame_line import LineCut
from kiosk.core.workers import SerialWorker
from kiosk.desk.patience import Patience
from kiosk.desk.relay.channel import Channel
from kiosk.desk.relay.frames import (
    Asked,
    Bye,
    CardCame,
    CardWent,
    Chosen,
    Done,
    Failed,
    Looked,
    PageIs,
    Said,
    Shown,
    SignedOut,
    StillWaited,
    Typed,
    WentBack,
    Working,
)
from kiosk.desk.relay.lending import Lending
from kiosk.desk.views import DeskPort, Emit, Filled, Look, Page
from kiosk.visit import reader_state
from kiosk.visit.station import FaceSettings

STEP_SECONDS = 300.0
"""For what the authority says next: it waits for its directory, never for a person."""
_LAST_WORDS_SECONDS = 1.0
"""For why a session ended that takes nothing any more."""
CLOSED = "closed"
"""The name of the page that says that there is none; the face asks again by itself."""

Connect = Callable[[Callable[[], None]], Channel]
"""Opens a line and a session behind it. What it is given is called, on a thread of the
line's, when that is lost. KioskErrors: AuthorityAway, LineCut …
"""
Post = Callable[[Callable[[], None]], None]
"""Queues a job on the desk's worker."""
ISSUING = frozenset({"card", "work", "issued", "batch_run"})
"""Pages at which the line may be lost between a card's issue and its transport PIN."""


def _unheard(is_there: bool) -> None:  # noqa: FBT001 - it is what is told
    """Nobody wants to know."""


class RemoteDesk:
    """`DeskPort` of a station without an authority of its own."""

    def __init__(
        self,
        connect: Connect,
        post: Post,
        heard: Callable[[bool], None] = _unheard,
        waits: Callable[[], bool] = lambda: True,
    ) -> None:
        """`heard`: is told whether an authority answered when a session was begun.
        `waits`: does the operator still wait for what takes long?
        """
        self._connect, self._post, self._heard = connect, post, heard
        self._waits = waits
        self._lending = Lending()
        self._channel: Channel | None = None
        self._session = 0
        """Counts them: the news that one is lost may come late."""
        self._was_lost = False
        """While nobody asked for anything; nobody was told yet."""
        self._shown = ""
        """The name of the page that was shown last."""

    def page(self) -> Page:
        return self._ask(Shown())

    def choose(self, key: str, emit: Emit) -> Page:
        return self._ask(Chosen(key, can_stop=True), emit)

    def submit(self, filled: Filled, emit: Emit) -> Page:
        try:
            self._lending.named(filled.texts.values())
            texts, secrets = filled.texts, filled.secrets
            return self._ask(Typed(texts, secrets, can_stop=True, can_drop=True), emit)
        finally:
            filled.wipe()

    def look(self, look: Look) -> Page:
        return self._ask(Looked(look))

    def back(self) -> Page:
        return self._ask(WentBack())

    def card_came(self, card: Card) -> Page:
        is_new_session = self._channel is None
        self._lending.cards[card.insertion] = card
        if is_new_session:
            return self.page()  # which tells of every card that is there
        return self._ask(_came(card))

    def card_left(self, insertion: int) -> Page:
        self._lending.left(insertion)
        return self._ask(CardWent(insertion))

    def sign_out(self) -> Page:
        return self._ask(SignedOut())

    def close(self) -> None:
        """End the session and let go of every card."""
        channel, self._channel = self._channel, None
        self._lending.let_go()
        if channel is not None:
            channel.close()

    # --- inside -----------------------------------------------------------------

    def _lost(self, session: int) -> None:
        """Let go of every card at once."""
        if session == self._session and self._channel is not None:
            self._was_lost = True
            self.close()

    def _ask(self, asked: Asked, emit: Emit | None = None) -> Page:
        page = self._page_after(asked, emit)
        self._shown = page.name
        return page

    def _page_after(self, asked: Asked, emit: Emit | None) -> Page:
        try:
            if self._was_lost:
                raise LineCut
            if self._channel is None:
                return self._begun_surely()  # what was asked was of one that has ended
            return self._answered(self._channel, asked, emit)
        except LineCut as error:
            is_issuing = self._shown in ISSUING
            lost = Message("relay.line_cut_issuing") if is_issuing else said_of(error)
            return self._ended(lost)
        except KioskError as error:
            return self._ended(said_of(error))

    def _begun_surely(self) -> Page:
        """Begin a session; once more if its line dies before there is a page."""
        try:
            return self._begun()
        except LineCut:
            self.close()
            return self._begun()

    def _begun(self) -> Page:
        """Begin a session, and tell it of the cards that are there."""
        self._session = session = self._session + 1
        try:
            channel = self._channel = self._connect(
                lambda: self._post(lambda: self._lost(session))
            )
        except KioskError:
            self._heard(False)  # noqa: FBT003 - it is what is told
            raise
        self._heard(True)  # noqa: FBT003 - the same
        page = self._answered(channel, Shown(), None)
        for card in tuple(self._lending.cards.values()):
            if page.name == CLOSED:
                break  # it has ended already, and the page says why
            page = self._answered(channel, _came(card), None)
        return page

    def _answered(self, channel: Channel, asked: Asked, emit: Emit | None) -> Page:
        """Ask, do what is asked of this station meanwhile, and return the page."""
        try:
            channel.send(asked)
        except LineCut:
            last = channel.receive(Said, _LAST_WORDS_SECONDS)
            if isinstance(last, Bye):
                return self._ended(last.why)
            raise
        while True:
            said: Any = channel.receive(Said, STEP_SECONDS)
            match said:
                case PageIs(page=page):
                    return page
                case Working(what=what):
                    if emit is not None:
                        emit(what)
                case Bye(why=why):
                    return self._ended(why)
                case StillWaited():
                    channel.send(Done() if self._waits() else Failed("", {}))
                case _:
                    channel.send(self._lending.answer(said))

    def _ended(self, why: Message) -> Page:
        self._was_lost = False
        self.close()
        return Page(name=CLOSED, title=Message("tui.desk.closed"), notice=why)


class RemoteDeskStation:
    """`desk.station.DeskStation` whose authority is elsewhere."""

    def __init__(
        self,
        settings: FaceSettings,
        monitor: Monitor,
        connect: Connect,
        figures: Figures = UNTOLD,
        tell: Callable[[str], None] = lambda reader: None,  # noqa: ARG005 - nobody hears it
    ) -> None:
        """`tell`: says to the authority how this station is, with its reader's state;
        it is called about once a minute, on a thread of its own.
        """
        self.settings = settings
        self._monitor, self._figures, self._tell = monitor, figures, tell
        self._reader, self._is_away = reader_state.UNKNOWN, False
        self._worker = SerialWorker("desk")
        self._reports = SerialWorker("reports", self._report)
        self._patience = Patience()
        self._desk = RemoteDesk(
            connect, self._worker.post, self._heard, self._patience.lasts
        )

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        def seen(event: ReaderEvent) -> None:
            self._reader = reader_state.state_after(event, self._reader)
            emit(event)

        self._monitor.start(seen)

    def open(self) -> DeskPort | Message:
        return self._desk

    def on_worker(self, job: Callable[[], None]) -> None:
        self._worker.post(self._patience.of(job))

    def stop_waiting(self) -> None:
        self._patience.end()

    def stop(self) -> None:
        self._monitor.stop()
        self._patience.end()
        self._reports.stop()
        self._worker.submit(self._desk.close).wait(2.0)
        self._worker.stop()

    # --- inside -----------------------------------------------------------------

    def _heard(self, is_there: bool) -> None:  # noqa: FBT001 - it is what is told
        self._is_away = not is_there
        self._count()

    def _report(self) -> bool:
        """Say how this station is; there is never more of it. The reports' thread."""
        self._count()
        self._tell(self._reader)
        return False

    def _count(self) -> None:
        missing = {
            "authority": self._is_away,
            "reader": self._reader in reader_state.MISSING,
        }
        self._figures.health(part for part, is_so in missing.items() if is_so)


def _came(card: Card) -> CardCame:
    requires_pad = getattr(
        card, "requires_pad", False
    )  # as those that can be lent know
    return CardCame(card.insertion, card.reader, requires_pad)
