"""Who attends to whoever is there: decides what is shown, and what is asked next.

Keeps the one visit that is going on. Whatever happens to readers, cards and the
station's health comes to `_settle`, which shows what fits; only an operation under
way is never disturbed, because its person must see how it ended. UI thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.authority.ports import StationFault
from kiosk.cards.ports import Card, CardInserted
from kiosk.core.errors import said_of
from kiosk.faces.reader_state import ReaderState
from kiosk.faces.receipt import print_page
from kiosk.tui import messages as told
from kiosk.tui.conversation import Conversation, ConversationPhase
from kiosk.tui.last_word import LastWord
from kiosk.tui.screen_factory import ScreenFactory
from kiosk.tui.screens.confirm import ConfirmScreen
from kiosk.tui.screens.form import FormScreen
from kiosk.tui.screens.home import HomeScreen
from kiosk.tui.screens.idle_warning import IdleWarningScreen
from kiosk.tui.screens.progress import ProgressScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.visit.views import Answers

if TYPE_CHECKING:
    from textual.app import App

    from kiosk.cards.ports import ReaderEvent
    from kiosk.faces.idleness import Idleness
    from kiosk.tui.preferences import Preferences
    from kiosk.tui.screen_stack import ScreenStack
    from kiosk.tui.screens.base import KioskScreen
    from kiosk.visit.station import Station

log = logging.getLogger(__name__)

_UNDISTURBED = frozenset({ConversationPhase.WORKING, ConversationPhase.OVER})
"""A second card, or news of the station, wait until these are past."""


class KioskController:
    """One for each running kiosk."""

    def __init__(
        self,
        app: App[int],
        station: Station,
        stage: ScreenStack,
        idleness: Idleness,
        manner: Preferences,
        now: Callable[[], float],
    ) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        self._app = app
        self._station = station
        self._stage = stage
        self._idleness = idleness
        self._manner = manner
        self._is_spent = False
        """Whoever chose the manner has left."""
        self._scenes = ScreenFactory(station.settings)
        self._presence = ReaderState()
        self._visit: Conversation | None = None
        self._forgotten = 0
        """The insertion whose card was left behind; 0: none."""
        self._last_word = LastWord(stage, now)
        self._is_asking_health = False

    def start(self) -> None:
        """Begin to watch the readers and the station's health."""
        self._station.start(self._reader_says)
        self.ask_health()

    def _reader_says(self, event: ReaderEvent) -> None:
        """Monitor's thread."""
        self._app.post_message(told.ReaderNews(event))

    # --- hearing ----------------------------------------------------------------

    def hear(self, message: told.Told) -> None:
        """Take in any message; late ones of an earlier visit or screen are dropped."""
        match message:
            case told.ReaderNews():
                self._reader_news(message.event)
            case told.HealthKnown():
                self._health_known(message.faults)
            case told.Printed():
                if isinstance(self._stage.screen, ResultScreen):
                    self._stage.screen.printed(message.outcome)
            case told.About() if message.visit is self._visit:
                self._visit_news(message.visit, message)
            case _ if self._visit is not None:
                self._person(self._visit, message)

    def _visit_news(self, visit: Conversation, message: told.About) -> None:
        match message:
            case told.Recognised():
                self._recognised(visit, message)
            case told.FormReady():
                self._form_ready(visit, message)
            case told.Stepped():
                if isinstance(self._stage.screen, ProgressScreen):
                    self._stage.screen.show(message.progress)
            case told.Ended():
                self._ended(visit, self._scenes.result(message.result))
            case told.Failed():
                self._ended(visit, self._scenes.trouble(message.trouble))

    def _person(self, visit: Conversation, message: told.Told) -> None:
        """What the person does, on the screen that is shown."""
        screen = self._stage.screen
        match message:
            case HomeScreen.Chosen() if isinstance(screen, HomeScreen):
                visit.begin(message.kind)
                screen.wait()
            case ConfirmScreen.Answered() if isinstance(screen, ConfirmScreen):
                if message.is_yes and not screen.form.fields:
                    self._show(self._scenes.progress())
                    visit.submit(screen.form, Answers({}, confirmed=True))
                elif message.is_yes:
                    self._show(self._scenes.form(screen.form, is_confirmed=True))
                else:
                    visit.leave()
                    self._go_home(visit)
            case FormScreen.Cancelled() if isinstance(screen, FormScreen):
                visit.leave()
                self._go_home(visit)
            case FormScreen.Filled() if isinstance(screen, FormScreen):
                self._submit(visit, screen)
            case ResultScreen.Again() if isinstance(screen, ResultScreen):
                if screen.result.again is not None:
                    visit.begin_again(screen.result.again)
                    screen.wait()
            case ResultScreen.PrintWanted():
                self._print(message.text)
            case ResultScreen.Left() if isinstance(screen, ResultScreen):
                self._start_over(visit)

    def _print(self, text: str) -> None:
        """Hand it to the site's printer, on the authority worker."""
        settings = self._station.settings

        def job() -> None:
            self._app.post_message(told.Printed(print_page(settings, text)))

        self._station.on_authority_worker(job)

    def instead_of_screen(self, key: str, *, is_typed: bool) -> bool:
        """Take a key that would go to the screen; True: it was meant for us."""
        is_read = self._last_word.ends_by(key, is_typed=is_typed)
        if is_read:
            self._settle()
        return is_read

    # --- readers and health -----------------------------------------------------

    def _reader_news(self, event: ReaderEvent) -> None:
        if isinstance(event, CardInserted):
            self._last_word.end()
        self._presence.take(event)
        self._settle()

    def ask_health(self) -> None:
        """Ask what is missing, while nobody is there and no question is out."""
        if self._visit is None and not self._is_asking_health:
            self._is_asking_health = True
            self._station.on_authority_worker(self._report_health)

    def _report_health(self) -> None:
        """Authority worker's thread."""
        try:
            faults = self._station.health()
        except Exception as error:  # noqa: BLE001 - then the station cannot be used
            log.error("ui.health_failed type=%s", type(error).__name__)
            faults = (StationFault(part="store", message=said_of(error)),)
        self._app.post_message(told.HealthKnown(faults))

    def _health_known(self, faults: tuple[StationFault, ...]) -> None:
        self._is_asking_health = False
        self._presence.faults = faults
        self._settle()

    def _settle(self) -> None:
        """Show what fits the cards and readers that there are now."""
        visit = self._visit
        if visit is not None and visit.insertion not in self._presence.cards:
            if visit.is_working:
                return
            if self._is_unsent(visit):
                self._stage.show(self._scenes.unsent())
            self._last_word.begin()
            self._end_visit()
        is_busy = self._visit is not None and self._visit.phase in _UNDISTURBED
        if not is_busy and not self._last_word.is_there:
            self._attend()

    def _is_unsent(self, visit: Conversation) -> bool:
        """The person had chosen something, and nothing of it has been sent."""
        match self._stage.screen:
            case ConfirmScreen() | FormScreen():
                return True
            case HomeScreen():
                return visit.phase is ConversationPhase.ASKING
        return False

    def _attend(self) -> None:
        """Begin a visit, or say why there is none."""
        cards, scenes, stage = self._presence.cards, self._scenes, self._stage
        if len(cards) > 1:
            is_unsent = self._visit is not None and self._is_unsent(self._visit)
            self._end_visit()
            stage.show_once("two_cards", lambda: scenes.two_cards(is_unsent=is_unsent))
        elif self._forgotten in cards:
            stage.show_once("forgotten", scenes.forgotten)
        elif cards and self._visit is None:
            self._begin_visit(next(iter(cards.values())))
        elif not cards:
            self._wait_for_card()

    def _wait_for_card(self) -> None:
        self._forgotten = 0
        scenes, stage = self._scenes, self._stage
        missing = self._presence.missing()
        if missing:
            subject = ("out_of_service", *(message.key for message in missing))
            stage.show_once(subject, lambda: scenes.out_of_service(missing))
        elif self._presence.is_unreadable:
            stage.show_once("unreadable", scenes.unreadable)
        else:
            stage.clear()
        self._greet_anew()

    def _greet_anew(self) -> None:
        """Speak to whoever comes next as the station does by itself."""
        if self._is_spent:
            self._is_spent = False
            self._idleness.start_over()
            if self._manner.reset():
                self._stage.redraw_bottom()

    # --- the visit --------------------------------------------------------------

    def _show(self, screen: KioskScreen) -> None:
        self._idleness.reset()
        self._stage.show(screen)

    def _begin_visit(self, card: Card) -> None:
        self._greet_anew()
        visit = Conversation(self._station, card, self._app.post_message)
        self._visit, self._forgotten = visit, 0
        self._show(self._scenes.recognising())
        visit.recognise()

    def _end_visit(self) -> None:
        """Forget everything about the person who was here."""
        visit, self._visit = self._visit, None
        if visit is not None:
            visit.close()
            self._is_spent = True

    def _recognised(self, visit: Conversation, message: told.Recognised) -> None:
        visit.home = message.home
        self._go_home(visit)

    def _go_home(self, visit: Conversation) -> None:
        visit.phase = ConversationPhase.OPEN
        if visit.home is not None:
            self._show(self._scenes.home(visit.home))

    def _start_over(self, visit: Conversation) -> None:
        """After a result: the card may be another one now in all but its number."""
        visit.phase = ConversationPhase.OPEN
        self._settle()
        if self._visit is visit:
            self._show(self._scenes.recognising())
            visit.recognise()

    def _form_ready(self, visit: Conversation, message: told.FormReady) -> None:
        visit.phase = ConversationPhase.OPEN
        visit.home = message.home or visit.home
        if message.form.confirm is not None:
            self._show(self._scenes.confirm(message.form))
        else:
            self._show(self._scenes.form(message.form, is_confirmed=False))

    def _submit(self, visit: Conversation, screen: FormScreen) -> None:
        if visit.phase is ConversationPhase.OPEN:
            answers = screen.take()
            self._show(self._scenes.progress())
            visit.submit(screen.form, answers)

    def _ended(self, visit: Conversation, screen: KioskScreen) -> None:
        """An operation, or the visit, came to its end, card or no card."""
        was_working, visit.phase = visit.is_working, ConversationPhase.OVER
        if was_working or visit.insertion in self._presence.cards:
            self._show(screen)
        self._settle()

    # --- time -------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, twice a second."""
        if self._last_word.is_there:
            if self._last_word.ends_by_now():
                self._settle()
        elif self._visit is not None and not self._visit.is_working:
            self._look_for_person(self._visit)
        elif self._forgotten:
            self._call_for_card()
        elif self._stage.screen is None and self._idleness.is_over:
            self._is_spent = True
            self._greet_anew()

    def _look_for_person(self, visit: Conversation) -> None:
        screen = self._stage.screen
        if self._idleness.is_over:
            self._forgotten = visit.insertion
            self._end_visit()
            self._app.bell()
            self._settle()
        elif self._idleness.is_near and screen is not None and screen.is_private:
            self._warn(self._idleness.left)
        elif isinstance(screen, ResultScreen) and screen.is_end:
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
