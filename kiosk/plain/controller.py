"""Who attends to whoever comes: waits for a card, speaks their language, sees them off.

The plain face's main loop, on the main thread. Readers and workers tell it what
happened through the inbox; it never touches a card itself.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from kiosk.authority.values import StationFault
from kiosk.core.errors import Message, said_of
from kiosk.core.exit_codes import ExitCode
from kiosk.faces import wording
from kiosk.faces.idleness import Idleness
from kiosk.faces.reader_state import ReaderState
from kiosk.faces.terminal_line import TerminalGone
from kiosk.faces.wording import said, say, whom_to_call
from kiosk.plain.demo_hand import DemoHand
from kiosk.plain.inbox import Inbox
from kiosk.plain.news import CardGone, End, EndRequested, HealthNews, TimeIsUp
from kiosk.plain.talk import Talk, order
from kiosk.plain.terminal import of_this_process
from kiosk.plain.visit import PlainVisit
from kiosk.texts import LANGUAGES, sentence

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kiosk.cards.ports import Card
    from kiosk.faces.demo_deck import DemoDeck
    from kiosk.plain.terminal import Terminal
    from kiosk.visit.station import Station

log = logging.getLogger(__name__)

HEALTH_SECONDS = 10.0
_SMALL = frozenset({"fr", "es"})
"""Languages that write their own name with a small letter inside a sentence."""
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class PlainController:
    """One for each running kiosk."""

    def __init__(
        self,
        station: Station,
        terminal: Terminal,
        inbox: Inbox[object],
        deck: DemoDeck | None = None,
    ) -> None:
        self._station = station
        self._settings = station.settings
        self._terminal = terminal
        self._inbox = inbox
        self._presence = ReaderState()
        self._idleness = Idleness(station.settings)
        self._talk = Talk(
            terminal, self._inbox, self._presence, self._idleness, station.settings
        )
        if deck is not None:
            self._talk.hand = DemoHand(deck, terminal.say)
        self._forgotten = 0
        """The insertion whose card was left behind; 0: none."""
        self._said: Hashable = None
        """What was said last with nobody there."""
        self._hidden_at: float | None = None
        """When what was said to the last person is cleared (monotonic seconds)."""
        self._health_at = 0.0
        self._is_asking_health = False
        self._order = order()
        """What the demo's hand is being told."""

    def serve(self) -> int:
        """Attend until told to end; return the process's exit code."""
        try:
            self._station.start(self._inbox.put)
            wording.speak(self._settings.languages[0])
            self._serve()
        except TerminalGone:
            log.info("ui.terminal_gone")
            return int(ExitCode.TERMINAL_GONE)
        except EndRequested:
            gone = self._terminal.is_gone()
            return int(ExitCode.TERMINAL_GONE if gone else ExitCode.OK)
        finally:
            self._station.stop()

    def _serve(self) -> NoReturn:
        self._terminal.clear()
        while True:
            self._attend(self._next_card())

    # --- with nobody there ----------------------------------------------------------

    def _next_card(self) -> Card:
        """Wait for exactly one card that was not left behind."""
        self._said = None
        while True:
            cards = self._presence.cards
            if self._forgotten not in cards:
                self._forgotten = 0
            if len(cards) == 1 and not self._forgotten:
                return next(iter(cards.values()))
            self._announce()
            self._pass_time()

    def _announce(self) -> None:
        """Say what fits the cards and readers that there are now, once."""
        cards, missing = self._presence.cards, self._presence.missing()
        if len(cards) > 1:
            self._say_once("two_cards", say("tui.two_cards.text"))
        elif self._forgotten:
            self._say_once("forgotten", say("tui.forgotten.text"))
        elif missing:
            faults = [said(message) for message in missing]
            help_line = whom_to_call(self._settings.helpdesk)
            text = say("tui.out_of_service.text")
            self._say_once("out_of_service", text, *faults, help_line)
        elif self._presence.is_unreadable:
            self._say_once("unreadable", say("tui.unreadable.text"))
        else:
            how, what = say("tui.idle.how"), say("tui.idle.what")
            help_line = whom_to_call(self._settings.helpdesk)
            is_new = self._say_once("idle", how, what, say("plain.how"), help_line)
            if is_new and self._talk.hand is not None:
                self._talk.hand.explain()

    def _say_once(self, kind: str, *sentences: str) -> bool:
        if self._said == (kind, sentences):
            return False
        self._said = (kind, sentences)
        self._talk.say("", say(f"tui.{kind}.headline"), *sentences)
        return True

    def _pass_time(self) -> None:
        now = time.monotonic()
        if now >= self._health_at and not self._is_asking_health:
            self._health_at = now + HEALTH_SECONDS
            self._is_asking_health = True
            self._station.on_authority_worker(self._report_health)
        if self._forgotten and self._idleness.should_call():
            self._terminal.bell()
        if self._hidden_at is not None and now >= self._hidden_at:
            self._hide()
        if self._talk.hand is None:
            self._talk.pass_time()
        else:
            self._talk.move_hand(self._talk.hand, self._order)

    def _hide(self) -> None:
        """What was said to somebody is nobody else's business."""
        self._hidden_at = None
        self._said = None
        self._terminal.clear()

    def _report_health(self) -> None:
        """Authority worker's thread."""
        try:
            faults = self._station.health()
        except Exception as error:  # noqa: BLE001 - then the station cannot be used
            log.error("ui.health_failed type=%s", type(error).__name__)
            faults = (StationFault(part="store", message=said_of(error)),)
        self._is_asking_health = False
        self._inbox.put(HealthNews(faults))

    # --- with somebody --------------------------------------------------------------

    def _attend(self, card: Card) -> None:
        self._hide()
        self._talk.about(card.insertion)
        try:
            self._choose_language()
            PlainVisit(self._talk, self._station, card).run()
        except CardGone as gone:
            if card.insertion not in self._presence.cards:
                self._talk.say("", say("plain.card_left"))
            if gone.is_unsent:
                self._talk.say(say("tui.unsent.text"))
        except EndRequested:
            self._terminal.clear()
            raise
        except TimeIsUp:
            self._terminal.clear()
            self._forgotten = card.insertion
        finally:
            self._talk.about(0)
            wording.speak(self._settings.languages[0])
        self._hidden_at = time.monotonic() + self._settings.idle_wipe_after

    def _choose_language(self) -> None:
        """Ask for it first, each in its own words."""
        languages = self._settings.languages
        if len(languages) < 2:
            return

        def ask() -> None:
            for number, code in enumerate(languages, 1):
                name = LANGUAGES.get(code, code)
                name = name.lower() if code in _SMALL else name
                offer = Message("plain.language", {"name": name, "number": number})
                self._talk.say(sentence(offer, code))

        ask()
        wording.speak(languages[self._talk.choose(len(languages), ask) - 1])


@contextlib.contextmanager
def _signals(inbox: Inbox[object]) -> Iterator[None]:
    """Let signals that end the process be news like any other; nobody stops it."""

    def told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the system's signature
        inbox.put(End())

    before = {number: signal.signal(number, told) for number in _ENDING_SIGNALS}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(station: Station, *, deck: DemoDeck | None = None) -> int:
    """Run the plain kiosk on this process's terminal; return its exit code."""
    inbox: Inbox[object] = Inbox()
    with _signals(inbox), of_this_process() as terminal:
        return PlainController(station, terminal, inbox, deck).serve()
