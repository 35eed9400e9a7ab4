"""Attends to whoever is there: hears what happens, and does what the table says.

Where a person stands, and what leads where, is `statemachine.self_service`. Here each
message becomes one of its events, and its edge is done: the deeds, then the screen of
the new state. After each the readers are looked at. UI thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.cards.ports import CardInserted
from kiosk.faces.reader_state import ReaderState
from kiosk.faces.receipt import print_page
from kiosk.tui import messages as told
from kiosk.tui.conversation import Conversation
from kiosk.tui.kiosk_events import ask, event_of
from kiosk.tui.last_word import LastWord
from kiosk.tui.screen_factory import ScreenFactory
from kiosk.tui.screens.confirm import ConfirmScreen
from kiosk.tui.screens.form import FormScreen
from kiosk.tui.screens.idle_warning import IdleWarningScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.tui.station_health import StationHealth
from statemachine.self_service import (
    Deed,
    SelfServiceEvent,
    SelfServiceState,
    edge_of,
    is_of_a_visit,
    is_working,
)

if TYPE_CHECKING:
    from textual.app import App

    from kiosk.cards.ports import ReaderEvent
    from kiosk.faces.idleness import Idleness
    from kiosk.tui.preferences import Preferences
    from kiosk.tui.screen_stack import ScreenStack
    from kiosk.tui.screens.base import KioskScreen
    from kiosk.visit.station import Station


class KioskController:
    """One for each running kiosk."""

    def __init__(
        self,
        app: App[int],
        station: Station,
        stage: ScreenStack,
        idleness: Idleness,
        preferences: Preferences,
        now: Callable[[], float],
    ) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        self._app = app
        self._station = station
        self._stage = stage
        self._idleness = idleness
        self._preferences = preferences
        self._screens = ScreenFactory(station.settings)
        self._presence = ReaderState()
        self._health = StationHealth(station, app.post_message)
        self._last_word = LastWord(stage, now)
        self._state = SelfServiceState.WAITING
        self._visit: Conversation | None = None
        self._forgotten = 0
        """The insertion whose card was left behind last."""
        self._unsent = False
        """What the person had begun was not sent; to be said on the next screen."""

    def start(self) -> None:
        """Begin to watch the readers and the station's health."""

        def seen(event: ReaderEvent) -> None:  # monitor's thread
            self._app.post_message(told.ReaderNews(event))

        self._station.start(seen)
        self.ask_health()

    def ask_health(self) -> None:
        """Ask what is missing, while nobody is there."""
        if self._visit is None:
            self._health.ask()

    # --- hearing ----------------------------------------------------------------

    def hear(self, message: told.Told) -> None:
        """Take in any message; late ones of an earlier visit or screen are dropped."""
        match message:
            case told.ReaderNews():
                self._presence.take(message.event)
                if isinstance(message.event, CardInserted):
                    self._take(SelfServiceEvent.CARD_CAME)
                self._look()
            case told.HealthKnown():
                self._presence.faults = self._health.heard(message)
                self._look()
            case told.Printed() | told.Stepped():
                self._news(message)
            case ResultScreen.PrintWanted():
                self._print(message.text)
            case told.About() if message.visit is not self._visit:
                pass
            case _:
                self._happens(event_of(message), message)

    def _news(self, message: told.Printed | told.Stepped) -> None:
        """Show it where it happens."""
        is_late = isinstance(message, told.Stepped) and message.visit is not self._visit
        if self._stage.screen is not None and not is_late:
            self._stage.screen.take_in(message)

    def _print(self, text: str) -> None:
        """Hand it to the site's printer, which takes its time."""
        settings = self._station.settings

        def job() -> None:
            self._app.post_message(told.Printed(print_page(settings, text)))

        self._station.beside(job)

    def instead_of_screen(self, key: str, *, is_typed: bool) -> bool:
        """Take a key that would go to the screen; True: it was meant for us."""
        is_reading = self._state is SelfServiceState.READING
        if not is_reading or not self._last_word.ends_by(key, is_typed=is_typed):
            return False
        self._happens(SelfServiceEvent.DONE_READING)
        return True

    # --- the table --------------------------------------------------------------

    def _happens(
        self, event: SelfServiceEvent | None, message: told.Told | None = None
    ) -> None:
        """Do what an event leads to, and then what the readers do."""
        if event is not None and self._take(event, message):
            self._look()

    def _look(self) -> None:
        """Do what the cards that there are now lead to, until they lead no further."""
        before = None
        while self._state is not before:
            before = self._state
            self._take(self._sight())

    def _sight(self) -> SelfServiceEvent:
        """Say how it looks at the readers."""
        cards = self._presence.cards
        if self._visit is not None and self._visit.insertion not in cards:
            return SelfServiceEvent.CARD_LEFT
        if len(cards) > 1:
            return SelfServiceEvent.SEVERAL_CARDS
        if not cards:
            return SelfServiceEvent.NO_CARD
        return (
            SelfServiceEvent.LEFT_BEHIND
            if self._forgotten in cards
            else SelfServiceEvent.ONE_CARD
        )

    def _take(self, event: SelfServiceEvent, message: told.Told | None = None) -> bool:
        """Follow an edge; False: there is none."""
        edge = edge_of(self._state, event)
        if edge is None:
            return False
        self._state = edge.target
        for deed in edge.deeds:
            self._do(deed, message)
        self._show_state(message)
        return True

    def _do(self, deed: Deed, message: told.Told | None) -> None:
        visit = self._visit
        match deed:
            case Deed.BEGIN:
                self._begin_visit()
            case Deed.END:
                self._end_visit()
            case Deed.SAY_UNSENT:
                self._unsent = True
            case Deed.LEAVE_BEHIND:
                self._forgotten = 0 if visit is None else visit.insertion
                self._app.bell()
            case Deed.GREET_ANEW:
                self._greet_anew()
            case _ if visit is not None:
                ask(visit, deed, message)

    def _begin_visit(self) -> None:
        card = next(iter(self._presence.cards.values()))
        self._visit = Conversation(self._station, card, self._app.post_message)
        self._visit.recognise()

    def _end_visit(self) -> None:
        """Forget everything about the person who was here."""
        visit, self._visit = self._visit, None
        if visit is not None:
            visit.close()

    def _greet_anew(self) -> None:
        """Speak to whoever comes next as the station does by itself."""
        self._idleness.start_over()
        if self._preferences.reset():
            self._stage.redraw_bottom()

    # --- showing ----------------------------------------------------------------

    def _show_state(self, message: told.Told | None) -> None:
        """Show what fits the state; `message` has what is to be shown in it."""
        screens, stage, visit = self._screens, self._stage, self._visit
        unsent, self._unsent = self._unsent, False
        if visit is not None and isinstance(message, told.Recognised | told.FormReady):
            visit.home = message.home or visit.home
        match self._state, message:
            case SelfServiceState.WAITING, _:
                self._show_waiting()
            case SelfServiceState.CROWDED, _:
                stage.show_once(
                    "two_cards", lambda: screens.two_cards(is_unsent=unsent)
                )
            case SelfServiceState.FORGOTTEN, _:
                stage.show_once("forgotten", screens.forgotten)
            case SelfServiceState.RECOGNISING, _:
                self._show(screens.recognising())
            case (SelfServiceState.HOME, _) | (_, told.Recognised()) if (
                visit is not None and visit.home is not None
            ):
                self._show(screens.home(visit.home))
            case ((SelfServiceState.ASKING | SelfServiceState.ASKING_AGAIN), _) if (
                stage.screen is not None
            ):
                stage.screen.wait()
            case SelfServiceState.CONFIRMING, told.FormReady():
                self._show(screens.confirm(message.form))
            case SelfServiceState.TYPING, told.FormReady():
                self._show(screens.form(message.form, is_confirmed=False))
            case SelfServiceState.TYPING, ConfirmScreen.Decided():
                self._show(screens.form(message.form, is_confirmed=True))
            case SelfServiceState.WORKING, FormScreen.FormFilled():
                self._show(screens.progress(message.screen.form))
            case SelfServiceState.WORKING, ConfirmScreen.Decided():
                self._show(screens.progress(message.form))
            case _, told.Ended():
                self._show(screens.result(message.result))
            case _, told.Failed():
                self._show(screens.trouble(message.trouble))
            case SelfServiceState.READING, _ if unsent:
                self._show(screens.unsent())
        if self._state is SelfServiceState.READING:
            self._last_word.begin()

    def _show(self, screen: KioskScreen) -> None:
        self._idleness.reset()
        if self._visit is not None and self._visit.home is not None:
            screen.person = self._visit.home.person
        self._stage.show(screen)

    def _show_waiting(self) -> None:
        """Nobody is there; the readers are looked at next, unless they just were."""
        screens, stage = self._screens, self._stage
        if self._presence.cards:
            return
        missing = self._presence.missing()
        if missing:
            subject = ("out_of_service", *(message.key for message in missing))
            stage.show_once(subject, lambda: screens.out_of_service(missing))
        elif self._presence.is_unreadable:
            stage.show_once("unreadable", screens.unreadable)
        else:
            stage.clear()

    # --- time -------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, twice a second."""
        is_over = self._idleness.is_over
        if self._state is SelfServiceState.READING:
            is_over = self._last_word.ends_by_now()
        if is_over:
            self._happens(SelfServiceEvent.TIME_UP)
        elif is_of_a_visit(self._state) and not is_working(self._state):
            self._look_for_person()
        elif self._state is SelfServiceState.FORGOTTEN:
            self._call_for_card()

    def _look_for_person(self) -> None:
        screen = self._stage.screen
        if screen is None:
            return
        if self._idleness.is_near and screen.is_private:
            self._warn(self._idleness.left)
        elif screen.is_end:
            self._call_for_card()

    def _call_for_card(self) -> None:
        if self._idleness.should_call():
            self._app.bell()

    def _warn(self, seconds: int) -> None:
        cover = self._stage.cover
        if isinstance(cover, IdleWarningScreen):
            cover.show(seconds)
        else:
            more = round(self._station.settings.pause / 60)
            self._stage.put_over(IdleWarningScreen(seconds, more=more))
