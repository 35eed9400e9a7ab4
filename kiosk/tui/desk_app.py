"""The operators' terminal: one app that shows the pages of a session.

It cannot be left, like the kiosk. Every question to the session is a job on its
worker; what comes back is the next page.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.widget import Widget

from kiosk.cards.ports import CardInserted, ReaderEvent
from kiosk.cards.values import CardLeft, ServiceLost
from kiosk.core.errors import Message as Sentence
from kiosk.desk.tables import Look, Style
from kiosk.desk.views import DeskPort, Page
from kiosk.faces.receipt import print_page, sheet
from kiosk.tui import collector
from kiosk.tui.descriptors import screen_of_its_own
from kiosk.tui.locked import code_of
from kiosk.tui.messages import Told
from kiosk.tui.played import PlayedApp
from kiosk.tui.preferences import Preferences
from kiosk.tui.screen_stack import ScreenStack
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.help import HELP_KEYS, HelpScreen
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.screens.page_frame import at_station
from kiosk.tui.screens.palette import PALETTE_KEY, PaletteScreen
from kiosk.tui.tray import TrayHand
from kiosk.tui.widgets.page_lines import plain

if TYPE_CHECKING:
    from kiosk.desk.station import DeskStation
    from kiosk.faces.demo_deck import DemoDeck

log = logging.getLogger(__name__)

IDLE_SECONDS = 300.0
"""After which an operator who has not pressed a key is signed out."""
SIGN_OUT = "f12"
STOPS = frozenset({"escape", SIGN_OUT})
"""Keys that end what only looks and takes long, while nothing else hears them."""
RETRY_SECONDS = 10.0
"""How often a desk that could not be opened is tried again."""

Ask = Callable[[DeskPort], Page]


class PageReady(Told):
    """The session has its next page."""

    def __init__(self, page: Page, *, is_quiet: bool = False) -> None:
        super().__init__()
        self.page = page
        self.is_quiet = is_quiet
        """Nobody waits for it: only what is shown may have changed."""


class Working(Told):
    """Something takes time."""

    def __init__(self, what: Sentence) -> None:
        super().__init__()
        self.what = what


class ReaderSays(Told):
    """The monitor saw something. Monitor's thread."""

    def __init__(self, event: ReaderEvent) -> None:
        super().__init__()
        self.event = event


class DeskApp(PlayedApp):
    """One session at a time."""

    CSS_PATH = "screens/base.tcss"

    def __init__(
        self,
        station: DeskStation,
        *,
        deck: DemoDeck | None = None,
        now: Callable[[], float] = time.monotonic,
        awake: Callable[[], None] = lambda: None,
    ) -> None:
        """`deck` only in the demo. `awake`: called once the first page is shown."""
        super().__init__(now)
        self._awake, self._is_awake = awake, False
        self._station = station
        Preferences(self, station.settings)
        self.hand = None if deck is None else TrayHand(deck)
        self._stage = ScreenStack(self, self._tray, self.turn, self._hear)
        self._asked = 0
        """Questions whose page has not come yet: nothing is decided meanwhile."""
        self._is_leaving = False
        """The operator has signed out; who works now may still be on the screen."""
        self._is_looking = False
        """A quiet question is on its way."""
        self._looked_for: Look | None = None
        self._shown_at = 0.0
        """When the page was asked for last."""
        self._last_key = now()
        self._is_closed = False
        """The desk could not be opened; it is tried again."""

    def _tray(self) -> Widget | None:
        return None if self.hand is None else self.hand.tray()

    # --- life -------------------------------------------------------------------

    def get_default_screen(self) -> KioskScreen:
        nothing = KioskScreen(self._station.settings)
        nothing.turn = self.turn
        return nothing

    def on_mount(self) -> None:
        self.obey_the_terminal()
        self._station.start(self._heard)
        self.set_interval(1.0, self._tick)
        self.set_interval(RETRY_SECONDS, self._retry)
        self._ask(lambda session: session.page())

    def _heard(self, event: ReaderEvent) -> None:
        """Monitor's thread."""
        self.post_message(ReaderSays(event))

    def before_key(self, event: events.Key) -> bool:
        self._last_key = self.now()
        if event.key in STOPS and self._asked:
            self._station.stop_waiting()
        return self.moved_by_hand(event.key)

    def instead_of_screen(self, event: events.Key) -> bool:
        """Sign out, be helped or go elsewhere with one key, wherever somebody is."""
        shown = self._stage.screen
        if not isinstance(shown, PageScreen):
            return False
        page, is_anybodys = shown.page, bool(shown.page.operator)
        is_covered = self._stage.cover is not None
        if event.key == SIGN_OUT and is_anybodys:
            if not self._is_leaving:  # whatever is on its way, this comes after it
                self._is_leaving = shown.has_answered = True
                self._ask(lambda session: session.sign_out())
        elif is_covered or self._asked:
            return False
        elif event.key == PALETTE_KEY and is_anybodys:
            self._cover(PaletteScreen(self._station.settings, page))
        elif event.key in HELP_KEYS and not shown.types(event):
            self._cover(HelpScreen(self._station.settings, page))
        else:
            return False
        return True

    def _cover(self, cover: KioskScreen) -> None:
        """Put something over the page, which keeps what it has."""
        cover.turn, cover.hear = self.turn, self._hear_cover
        self._stage.put_over(cover)

    def _hear_cover(self, message: Told) -> None:
        """Take in what the operator does on what covers the page."""
        self._stage.uncover()
        self.turn.page_shown()
        shown = self._stage.screen
        if not isinstance(message, PaletteScreen.Picked) or self._asked:
            return
        if not isinstance(shown, PageScreen):
            return
        is_here = any(each.key == message.key for each in shown.page.choices)
        if is_here or shown.may_leave():
            shown.has_answered = True
            self._ask(lambda session: session.choose(message.key, self._emit))

    def _tick(self) -> None:
        shown = self._stage.screen
        if not isinstance(shown, PageScreen) or self._asked:
            return
        now = self.now()
        rested = now - self._last_key
        if not shown.page.operator:
            if rested > self._patience and shown.is_typed_into:
                self._forget(shown)
        elif rested > IDLE_SECONDS:
            self._ask(lambda session: session.sign_out())
        elif shown.page.refresh and now - self._shown_at >= shown.page.refresh:
            self._ask_quietly(lambda session: session.page())

    @property
    def _patience(self) -> float:
        """After how many seconds whoever has begun to sign in is taken to have left."""
        return min(self._station.settings.idle_wipe_after, IDLE_SECONDS)

    def _forget(self, shown: PageScreen) -> None:
        """Begin anew: with what is typed whoever comes by would be that operator."""
        shown.forget()
        self.bell()
        told = {"seconds": round(self._patience)}
        notice = Sentence("tui.desk.forgotten", told)
        self._ask(lambda it: dataclasses.replace(it.sign_out(), notice=notice))

    def came_back(self) -> None:
        self._shown_at = float("-inf")
        self._tick()

    def stop(self) -> None:
        self._station.stop()

    def _retry(self) -> None:
        if self._is_closed and not self._asked:
            self._ask(lambda session: session.page())

    # --- asking -----------------------------------------------------------------

    def _ask(self, question: Ask) -> None:
        """Ask for the page that follows; until it is there nothing is decided."""
        self._asked += 1
        self._queue(question, is_quiet=False)

    def _ask_quietly(self, question: Ask) -> None:
        """Ask for what is on the page now, while somebody goes on working with it."""
        if not self._is_looking:
            self._is_looking = True
            self._queue(question, is_quiet=True)

    def _queue(self, question: Ask, *, is_quiet: bool) -> None:
        def job() -> None:
            session = self._station.open()
            if isinstance(session, Sentence):
                closed = Sentence("tui.desk.closed")
                page = Page(name="closed", title=closed, notice=session)
            else:
                page = question(session)
            self.post_message(PageReady(page, is_quiet=is_quiet))

        self._shown_at = self.now()
        self._station.on_worker(job)

    def _look(self) -> None:
        """Ask for other rows, if others are wanted than were asked for last."""
        shown = self._stage.screen
        wanted = shown.wanted() if isinstance(shown, PageScreen) else None
        if wanted is None or self._is_looking or self._asked:
            return
        if _without_place(wanted) != self._looked_for:
            self._looked_for = _without_place(wanted)
            self._ask_quietly(lambda session: session.look(wanted))

    def _emit(self, what: Sentence) -> None:
        """Worker's thread."""
        self.post_message(Working(what))

    # --- hearing ----------------------------------------------------------------

    @on(PageReady)
    def _page_ready(self, message: PageReady) -> None:
        if message.is_quiet:
            self._is_looking = False
        else:
            self._asked -= 1
            self._is_leaving = self._is_leaving and bool(message.page.operator)
        is_late = message.is_quiet and (self._asked or self._stage.cover is not None)
        if not is_late:  # its successor is on its way, or nobody can see it
            self._is_closed = message.page.name == "closed"
            page = at_station(message.page, self._station.settings)
            self._show(page, is_quiet=message.is_quiet)
        if message.page.paper:
            self._put_on_paper(message.page)
        self._look()
        if not self._is_awake:
            self._is_awake = True
            self.call_after_refresh(self._awake)

    def _put_on_paper(self, page: Page) -> None:
        """Hand a page to the site's printer, which takes its time."""
        settings = self._station.settings
        codes = {Style.CODE}  # what opens a card is read out, and never on paper
        lines = [plain(each) for each in page.paper if each.style not in codes]
        text = sheet(settings, lines)
        self._station.on_worker(lambda: self._emit(print_page(settings, text)))

    def _show(self, page: Page, *, is_quiet: bool) -> None:
        shown = self._stage.screen
        if isinstance(shown, PageScreen):
            is_same = shown.page == page
            if is_same or ((is_quiet or page.table is not None) and shown.renew(page)):
                if not is_quiet:
                    shown.stay()  # with what is being typed
                return
        screen = PageScreen(self._station.settings, page)
        if isinstance(shown, PageScreen):
            screen.follow(shown)
        self._stage.show(screen)
        wanted = screen.wanted()
        self._looked_for = None if wanted is None else _without_place(wanted)

    @on(Working)
    def _working(self, message: Working) -> None:
        if isinstance(self._stage.screen, PageScreen):
            self._stage.screen.say_working(message.what)

    @on(ReaderSays)
    def _reader_says(self, message: ReaderSays) -> None:
        match message.event:
            case CardInserted(card=card):
                self._ask(lambda session: session.card_came(card))
            case CardLeft(insertion=insertion):
                self._station.stop_waiting()  # it may be the operator's own
                self._ask(lambda session: session.card_left(insertion))
            case ServiceLost():
                self._ask(lambda session: session.sign_out())

    def _hear(self, message: Told) -> None:
        """Take in what the operator does on the page that is shown."""
        screen = self._stage.screen
        if not isinstance(screen, PageScreen):
            return
        if isinstance(message, PageScreen.Looked):
            self._look()
            return
        if self._asked:
            screen.stay()  # a card has come or gone: its page is on its way
            screen.say_working(Sentence("desk.working"))
            return
        match message:
            case PageScreen.Chosen(key=key):
                self._ask(lambda session: session.choose(key, self._emit))
            case PageScreen.Submitted():
                filled = screen.take()
                self._ask(lambda session: session.submit(filled, self._emit))
            case PageScreen.WentBack():
                self._ask(lambda session: session.back())


def _without_place(look: Look) -> Look:
    """Return which rows are wanted, wherever the cursor is."""
    return dataclasses.replace(look, at="")


def run(station: DeskStation, *, deck: DemoDeck | None = None) -> int:
    """Run the operators' terminal; return the process's exit code.

    Call `kiosk.tui.environment.harden`, and `kiosk.tui.collector.rest`, before this
    module is imported.
    """
    with screen_of_its_own():
        app = DeskApp(station, deck=deck, awake=collector.wake)
        try:
            ended_with = app.run(mouse=False)
        finally:
            app.stop()
    return code_of(app, ended_with)
