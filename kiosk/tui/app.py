"""The self-service kiosk: one app that shows a visit and cannot be left.

Handlers run on the UI thread and own all state; blocking work is queued on the
station's workers and comes back as messages that carry the insertion. A message of
an earlier insertion is dropped.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

from textual import events, on
from textual.screen import Screen

from kiosk.authority.ports import Fault
from kiosk.cards.ports import (
    Card,
    CardInserted,
    CardLeft,
    CardUnreadable,
    ReadersChanged,
    ServiceLost,
)
from kiosk.demo_deck import DemoDeck
from kiosk.errors import Message
from kiosk.station import Station
from kiosk.tui import messages as told
from kiosk.tui.idleness import Idleness
from kiosk.tui.locked import LockedApp
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.confirm import ConfirmScreen
from kiosk.tui.screens.form import FormScreen
from kiosk.tui.screens.home import HomeScreen
from kiosk.tui.screens.idle import IdleScreen
from kiosk.tui.screens.message import MessageScreen
from kiosk.tui.screens.progress import ProgressScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.tui.tray import Hand, Tray
from kiosk.tui.widgets.choices import Choices
from kiosk.tui.words import of_error, said, say
from kiosk.visit.views import Answers, Form, Home, Outcome, Progress, VisitPort
from statemachine.operation import Kind

log = logging.getLogger(__name__)

HEALTH_SECONDS = 10.0
LASTING_RESULT_SECONDS = 20.0
"""How long an unfinished operation stays on the screen after its card has left."""


class KioskApp(LockedApp):
    """The kiosk. `deck` only in the demo."""

    CSS_PATH = "kiosk.tcss"

    def __init__(self, station: Station, *, deck: DemoDeck | None = None) -> None:
        super().__init__()
        self._station = station
        self._deck = deck
        self._hand = Hand()
        self._cards: dict[int, Card] = {}
        self._readers: tuple[str, ...] | None = None
        self._service_fault: Message | None = None
        self._faults: tuple[Fault, ...] = ()
        self._insertion = 0
        """Of the visit that is on the screen; 0: none."""
        self._visit: VisitPort | None = None
        self._home: Home | None = None
        self._is_working = False
        """An operation is under way: its result will be shown, card or no card."""
        self._is_opening = False
        """A form was asked for and has not come yet."""
        self._idleness = Idleness(station.settings)

    # --- life -----------------------------------------------------------------------

    def on_mount(self) -> None:
        self.obey_the_terminal()
        self.set_interval(0.5, self._tick)
        self.set_interval(HEALTH_SECONDS, self._ask_health)
        if self._deck is not None:
            self.call_after_refresh(self.screen.mount, Tray(self._deck, self._hand))
        self._station.start(lambda event: self._tell(told.ReaderNews(event)))
        self._ask_health()

    def _tell(self, message: told.ReaderNews | told.About | told.HealthKnown) -> None:
        """Post from any thread."""
        self.post_message(message)

    def _ask_health(self) -> None:
        station = self._station
        station.on_authority_worker(
            lambda: self._tell(told.HealthKnown(station.health()))
        )

    # --- screens --------------------------------------------------------------------

    def _show(self, screen: Screen[None]) -> None:
        """Show a fresh screen in place of the one before."""
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)
        if self._deck is not None:
            self.call_after_refresh(screen.mount, Tray(self._deck, self._hand))

    def get_default_screen(self) -> Screen[None]:
        """The one screen that is kept: it shows nobody's data."""
        return IdleScreen(self._station.settings)

    def _show_idle(self) -> None:
        """The idle screen, or why this station cannot be used."""
        faults = self._missing()
        if faults:
            headline = say("tui.out_of_service.headline")
            lines = (say("tui.out_of_service.text"), *faults)
            self._show(self._message(headline, lines, "out_of_service", dead=True))
        elif len(self.screen_stack) > 1:
            self.pop_screen()
            for tray in self.screen.query(Tray):
                tray.refresh()

    def _missing(self) -> tuple[str, ...]:
        texts: list[str] = []
        if self._service_fault is not None:
            texts.append(said(self._service_fault))
        elif self._readers == ():
            texts.append(say("tui.out_of_service.reader"))
        return (*texts, *(said(fault.message) for fault in self._faults))

    def _message(
        self, headline: str, lines: tuple[str, ...], kind: str, *, dead: bool = False
    ) -> MessageScreen:
        return MessageScreen(
            self._station.settings, headline, lines, kind=kind, is_dead_end=dead
        )

    # --- readers --------------------------------------------------------------------

    @on(told.ReaderNews)
    def _reader_news(self, news: told.ReaderNews) -> None:
        match news.event:
            case CardInserted(card=card):
                self._cards[card.insertion] = card
                self._cards_changed()
            case CardLeft(insertion=insertion):
                self._cards.pop(insertion, None)
                self._card_left(insertion)
            case CardUnreadable():
                if not self._insertion:
                    headline = say("tui.unreadable.headline")
                    lines = (say("tui.unreadable.text"),)
                    self._show(self._message(headline, lines, "unreadable"))
            case ReadersChanged(readers=readers):
                self._readers, self._service_fault = readers, None
                self._refresh_idle()
            case ServiceLost():
                self._cards.clear()
                self._service_fault = Message("card.service_gone")
                self._end_visit()
                self._show_idle()

    def _cards_changed(self) -> None:
        if len(self._cards) > 1:
            self._end_visit()
            headline = say("tui.two_cards.headline")
            lines = (say("tui.two_cards.text"),)
            self._show(self._message(headline, lines, "two_cards"))
        elif self._cards:
            self._begin_visit(next(iter(self._cards.values())))

    def _card_left(self, insertion: int) -> None:
        was_ours = insertion == self._insertion
        if was_ours and self._is_working:
            return  # the job ends with a result that the person must see
        if was_ours:
            self._end_visit()
        if self._cards:
            self._cards_changed()
        elif not self._is_lasting_result():
            self._show_idle()
        else:
            self.set_timer(LASTING_RESULT_SECONDS, self._refresh_result)

    def _is_lasting_result(self) -> bool:
        screen = self.screen
        return (
            isinstance(screen, ResultScreen)
            and screen.result.outcome is Outcome.OUT_OF_STEP
        )

    def _refresh_result(self) -> None:
        if self._is_lasting_result() and not self._cards:
            self._show_idle()

    def _refresh_idle(self) -> None:
        """Idle and out of service take turns; a visit is not disturbed."""
        screen = self.screen
        waiting = isinstance(screen, IdleScreen) or (
            isinstance(screen, MessageScreen) and screen.kind == "out_of_service"
        )
        is_out = isinstance(screen, MessageScreen)
        if waiting and (bool(self._missing()) != is_out or is_out):
            self._show_idle()

    @on(told.HealthKnown)
    def _health_known(self, news: told.HealthKnown) -> None:
        changed = news.faults != self._faults
        self._faults = news.faults
        if changed:
            self._refresh_idle()

    # --- the visit ------------------------------------------------------------------

    def _begin_visit(self, card: Card) -> None:
        self._end_visit()
        self._insertion = card.insertion
        visit = self._visit = self._station.visit(card)
        headline = say("tui.recognising.headline")
        lines = (say("tui.recognising.text"),)
        self._show(self._message(headline, lines, "recognising"))
        self._work(lambda: told.Recognised(card.insertion, visit.recognise()))

    def _end_visit(self) -> None:
        """Forget everything about the person who was here."""
        visit, self._visit = self._visit, None
        self._insertion, self._home = 0, None
        self._is_working = self._is_opening = False
        self._idleness.reset()
        if visit is not None:
            self._station.on_card_worker(visit.close)

    def _work(self, job: Callable[[], told.About]) -> None:
        """Queue a job of the visit; its report or error comes back as a message."""
        insertion = self._insertion

        def run() -> None:
            try:
                report: told.About = job()
            except Exception as error:  # noqa: BLE001 - shown on the screen, logged there
                report = told.Failed(insertion, error)
            self._tell(report)

        self._station.on_card_worker(run)

    def _is_stale(self, message: told.About) -> bool:
        return message.insertion != self._insertion or not self._insertion

    @on(told.Recognised)
    def _recognised(self, message: told.Recognised) -> None:
        if self._is_stale(message):
            return
        self._home = message.home
        self._show(HomeScreen(self._station.settings, message.home))

    @on(told.Failed)
    def _failed(self, message: told.Failed) -> None:
        if self._is_stale(message):
            return
        log.warning("visit.failed type=%s", type(message.error).__name__)
        self._is_working = self._is_opening = False
        if message.insertion not in self._cards:
            self._end_visit()
            self._show_idle()
            return
        headline = say("tui.unknown_card.headline")
        lines = (said(of_error(message.error)),)
        self._show(self._message(headline, lines, "unknown_card", dead=True))

    @on(Choices.Chosen)
    def _chosen(self, message: Choices.Chosen) -> None:
        self._open_form(message.kind)

    def _open_form(self, kind: Kind) -> None:
        visit, insertion = self._visit, self._insertion
        if visit is not None and not self._is_opening:
            self._is_opening = True
            self._work(lambda: told.FormReady(insertion, visit.begin(kind)))

    @on(told.FormReady)
    def _form_ready(self, message: told.FormReady) -> None:
        if self._is_stale(message):
            return
        self._is_opening = False
        settings = self._station.settings
        if message.form.confirm is not None:
            self._show(ConfirmScreen(settings, message.form))
        else:
            self._show(FormScreen(settings, message.form, is_confirmed=False))

    @on(ConfirmScreen.Answered)
    def _answered(self, message: ConfirmScreen.Answered) -> None:
        screen = self.screen
        if not isinstance(screen, ConfirmScreen):
            return
        if message.is_yes:
            settings = self._station.settings
            self._show(FormScreen(settings, screen.form, is_confirmed=True))
        else:
            self._back_home()

    @on(FormScreen.Cancelled)
    def _cancelled(self) -> None:
        self._back_home()

    def _back_home(self) -> None:
        """Recognise the card anew: its counter may be another now."""
        visit, insertion = self._visit, self._insertion
        if visit is not None and self._home is not None:
            self._show(HomeScreen(self._station.settings, self._home))
            self._work(lambda: told.Recognised(insertion, visit.recognise()))

    @on(FormScreen.Filled)
    def _filled(self, message: FormScreen.Filled) -> None:
        visit = self._visit
        if visit is None:
            return
        form, answers = message.screen.form, message.screen.take()
        self._is_working = True
        self._show(ProgressScreen(self._station.settings))
        self._submit(visit, form, answers)

    def _submit(self, visit: VisitPort, form: Form, answers: Answers) -> None:
        insertion = self._insertion

        def emit(progress: Progress) -> None:
            self._tell(told.Stepped(insertion, progress))

        self._work(lambda: told.Ended(insertion, visit.submit(form, answers, emit)))

    @on(told.Stepped)
    def _stepped(self, message: told.Stepped) -> None:
        if not self._is_stale(message) and isinstance(self.screen, ProgressScreen):
            self.screen.show(message.progress)

    @on(told.Ended)
    def _ended(self, message: told.Ended) -> None:
        if self._is_stale(message):
            return
        self._is_working = False
        self._show(ResultScreen(self._station.settings, message.result))
        if message.insertion not in self._cards:
            self._card_left(message.insertion)

    @on(ResultScreen.Again)
    def _again(self) -> None:
        screen, visit = self.screen, self._visit
        if not isinstance(screen, ResultScreen) or visit is None:
            return
        kind, insertion = screen.result.again, self._insertion

        def reopen() -> told.About:
            visit.recognise()
            return told.FormReady(insertion, visit.begin(kind or Kind.CHANGE))

        self._work(reopen)

    @on(ResultScreen.Left)
    def _left(self) -> None:
        self._back_home()

    # --- idleness ---------------------------------------------------------------------

    def _tick(self) -> None:
        if self._is_working or not self._insertion:
            return
        if self._idleness.is_over():
            self._forget_person()
        elif self._idleness.should_call() and isinstance(self.screen, ResultScreen):
            self.bell()
        if isinstance(self.screen, KioskScreen):
            self.screen.warn(self._idleness.warning())

    def _forget_person(self) -> None:
        """Nobody is there: wipe what was typed, and call for the card."""
        self._end_visit()
        headline = say("tui.forgotten.headline")
        lines = (say("tui.forgotten.text"),)
        self._show(self._message(headline, lines, "forgotten"))
        self.bell()

    def on_key(self, event: events.Key) -> None:
        self._idleness.reset()
        if self._deck is not None:
            self._demo_key(event)

    def _demo_key(self, event: events.Key) -> None:
        if event.key == "f10":
            self.exit(0)
            return
        tray = next(iter(self.screen.query(Tray)), None)
        if tray is not None and tray.press(event.key):
            event.stop()


def _let_go_of_output() -> None:
    """Let what a gone terminal cannot take any more not become the exit code."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def run(station: Station, *, deck: DemoDeck | None = None) -> int:
    """Run the kiosk on this terminal; return the process's exit code."""
    app = KioskApp(station, deck=deck)
    try:
        result = app.run(mouse=False)
    finally:
        station.stop()
        _let_go_of_output()
    return result if isinstance(result, int) else app.return_code or 0
