"""Questions and answers, one after the other, while cards and time go their way."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from kiosk.faces.attention import LOOK, Attention
from kiosk.faces.keyboard.names import PASTE
from kiosk.faces.terminal_line import TerminalGone
from kiosk.faces.turn import Turn
from kiosk.faces.visit_wording import of_step
from kiosk.faces.wording import say
from kiosk.pin.alphabet import Alphabet
from kiosk.plain.entry import LineEntry, anything, choice_up_to
from kiosk.plain.news import (
    CardGone,
    End,
    EndRequested,
    HealthNews,
    JobDone,
    TimeIsUp,
)
from kiosk.plain.terminal import wait_without_terminal
from kiosk.visit.views import Progress

if TYPE_CHECKING:
    from kiosk.cards.ports import ReaderEvent
    from kiosk.core.errors import Message
    from kiosk.core.secret import Secret
    from kiosk.faces.idleness import Idleness
    from kiosk.faces.keyboard.names import Key
    from kiosk.faces.reader_state import ReaderState
    from kiosk.plain.demo_hand import DemoHand
    from kiosk.plain.inbox import Inbox
    from kiosk.plain.terminal import Terminal
    from kiosk.visit.station import FaceSettings

T = TypeVar("T")
_PAUSE = ("p", "P")
_REPEAT = "?"
_ORDER_CHARACTERS = 32
_DRAIN_SECONDS = 0.1
_LONGEST_DRAIN_SECONDS = 1.0


class _AskAgain(Exception):
    """The person is there after all; what was half typed is gone."""


class Talk:
    """The one who speaks with whoever is there. Main thread."""

    def __init__(
        self,
        terminal: Terminal,
        inbox: Inbox[object],
        presence: ReaderState,
        idleness: Idleness,
        settings: FaceSettings,
    ) -> None:
        self.terminal = terminal
        self.settings = settings
        self.hand: DemoHand | None = None
        """Moves the demo's cards; None: hands do."""
        self._inbox = inbox
        self._presence = presence
        self._idleness = idleness
        self._insertion = 0
        self._awaited: object = None
        """The token of the job whose end is waited for."""
        self._done: JobDone | None = None
        self._is_warned = False
        self._is_to_end = False
        self._attention = Attention()
        self._turn = Turn(attention=self._attention)

    # --- saying -------------------------------------------------------------------

    def say(self, *sentences: str) -> None:
        """Say each sentence on lines of its own."""
        for sentence in sentences:
            self.terminal.say(sentence)

    def refuse(self, *sentences: str) -> None:
        """Say why something must be typed anew: from its beginning."""
        self._turn.cut()
        self.say(*sentences)

    # --- asking -------------------------------------------------------------------

    def about(self, insertion: int) -> None:
        """Talk about this card from now on; whoever is there has all the time again."""
        self._insertion = insertion
        self._idleness.start_over()
        self._is_warned = False
        self._turn.take_early()  # whoever typed it has gone with their card
        self._drop()

    def choose(self, last: int, repeat: Callable[[], None]) -> int:
        """Ask for a number from 1 to `last`; `repeat` says the question again."""
        while True:
            answer = self._chosen(last)
            if answer.isdecimal() and 1 <= int(answer) <= last:
                return int(answer)
            if answer == _REPEAT:
                repeat()
            elif self.hand is None or not self.hand.told(answer):
                self.refuse(_no_such_choice(last))

    def _chosen(self, last: int) -> str:
        """Return what was typed for a choice; empty: nothing that could be one.

        Whoever types a secret here is not shown it, and it is not kept.
        """
        choice = LineEntry(
            Alphabet.PRINTABLE, len(str(last)), readable=choice_up_to(last, _REPEAT)
        )
        with choice if self.hand is None else order() as entry:
            self._ask_until_done(say("plain.choose"), entry)
            return entry.text().strip() if entry.refusal is None else ""

    def ask(
        self,
        label: str,
        alphabet: Alphabet,
        maximum: int,
        *,
        is_shown: bool,
        ignores: str = "",
    ) -> Secret | Message | None:
        """Ask for something secret; None: the person wants to go back.

        A message says why what was typed cannot be taken. The caller wipes what it
        gets. CardGone, TimeIsUp, Ended.
        """
        key = "plain.ask_shown" if is_shown else "plain.ask"
        readable = anything if is_shown else None
        with LineEntry(alphabet, maximum, readable=readable, ignores=ignores) as entry:
            self._ask_until_done(say(key, field=label), entry)
            if not entry.keys:
                return None
            return entry.refusal or entry.copy()

    def _ask_until_done(self, question: str, entry: LineEntry) -> None:
        """Ask, and let a line be typed; from its beginning after a warning."""
        while True:
            self.terminal.ask(question)
            try:
                self._read(entry)
            except _AskAgain:
                entry.begin()
            else:
                return

    def _read(self, entry: LineEntry) -> None:
        """Let a line be typed into `entry`, to its Enter."""
        is_done = False
        while not is_done:
            key = self._next_key(entry)
            entry.come_early(self._turn.take_early())
            is_done = key is not None and entry.take(key)
            self.terminal.write(entry.echo())
        self.terminal.write("\n")

    def _next_key(self, entry: LineEntry) -> Key | None:
        """Wait for a key a little; whatever else happens is seen to.

        `entry`: what the key would be for.
        """
        self._end_if_told()
        key, has_news = self._wait()
        if has_news:
            self._hear()
        if self._insertion and not self._is_there():
            raise CardGone
        if key is None:
            self._look_at_the_clock()
            return None
        self._idleness.reset()
        if self._is_warned:
            self._is_warned = False
            asks_for_time = key.character in _PAUSE and bool(self.settings.pause)
            if asks_for_time:
                self._idleness.pause()
            if asks_for_time and not entry.keys:
                self._turn.answer(key.name)
            else:
                self._turn.swallow(is_typed=_is_typed(key))
            time.sleep(_DRAIN_SECONDS)
            self._drop()
            self.say(say("plain.go_on"))
            raise _AskAgain
        is_theirs = self._turn.has(key.name, is_typed=_is_typed(key), is_open=True)
        return key if is_theirs else None

    def _wait(self) -> tuple[Key | None, bool]:
        """Listen a little: for a key, and for news."""
        key, has_news = self.terminal.wait(self._inbox.fileno(), LOOK)
        if key is None:
            self._attention.look()
        return key, has_news

    def _drop(self) -> None:
        """Take in what was typed before it was asked for: the next line lacks it."""
        ends = time.monotonic() + _LONGEST_DRAIN_SECONDS
        while self.terminal.has_more and time.monotonic() < ends:
            key, has_news = self.terminal.wait(self._inbox.fileno(), 0.0)
            if has_news:
                self._hear(is_ending_put_off=True)
            elif key is not None:
                self._too_early(key)

    def _too_early(self, key: Key) -> None:
        """Nothing is asked: the line that this was typed for will lack it."""
        self._turn.has(key.name, is_typed=_is_typed(key), is_open=False)

    def _look_at_the_clock(self) -> None:
        if self._idleness.is_over:
            raise TimeIsUp
        if self._idleness.is_near and not self._is_warned:
            self._is_warned = True
            self.terminal.bell()
            self.say("", say("tui.idle_warning.headline"))
            self.say(say("tui.idle_warning.text"))
            if self.settings.pause:
                minutes = round(self.settings.pause / 60)
                self.say(say("tui.idle_warning.pause", minutes=minutes))
            self.say(say("tui.idle_warning.left", seconds=self._idleness.left))

    # --- waiting ------------------------------------------------------------------

    def result_of(
        self,
        job: Callable[[], T],
        queue: Callable[[Callable[[], None]], None],
        *,
        must_end: bool = False,
    ) -> T:
        """Have a worker do it and wait; what is typed meanwhile is dropped.

        `must_end`: even if the card leaves, because somebody must hear how it ended.
        Raises what the job raises; CardGone, Ended.
        """
        token = self._awaited = object()

        def run() -> None:
            try:
                done = JobDone(token, value=job())
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                done = JobDone(token, error=error)
            self._inbox.put(done)

        queue(run)
        done = self._wait_for(token, must_end=must_end)
        self._idleness.reset()
        self._drop()
        if done.error is not None:
            raise done.error
        return cast("T", done.value)

    def _wait_for(self, token: object, *, must_end: bool) -> JobDone:
        gone: TerminalGone | None = None
        while True:
            try:
                if self._has_news(gone):
                    self._hear(is_ending_put_off=must_end)
            except TerminalGone as error:
                if not must_end:
                    raise
                gone = error  # what is under way has to end all the same
            done, self._done = self._done, None
            if done is not None and done.token is token:
                if gone is not None:
                    raise gone
                return done
            if not must_end and not self._is_there():
                raise CardGone

    def _has_news(self, gone: TerminalGone | None) -> bool:
        news = self._inbox.fileno()
        if gone is not None:
            return wait_without_terminal(news, LOOK)
        key, has_news = self._wait()
        if key is not None:
            self._too_early(key)
        return has_news

    def pass_time(self) -> None:
        """With nobody there: hear news. What is typed is the beginning of nothing."""
        key = self._wait_a_little()
        if key is not None:
            self._too_early(key)

    def _wait_a_little(self) -> Key | None:
        self._end_if_told()
        key, has_news = self._wait()
        if has_news:
            self._hear()
        return key

    def tell_step(self, progress: Progress) -> None:
        """Have a step of the operation said. Any thread."""
        self._inbox.put(progress)

    def move_hand(self, hand: DemoHand, entry: LineEntry) -> None:
        """With nobody there: let the demo's hand be told what to do."""
        key = self._wait_a_little()
        if key is not None:
            self._order(hand, entry, key)

    def _order(self, hand: DemoHand, entry: LineEntry, key: Key) -> None:
        is_done = entry.take(key)
        self.terminal.write(entry.echo())
        if not is_done:
            return
        self.terminal.write("\n")
        words = entry.text()
        entry.begin()
        if not hand.told(words):
            hand.explain()

    def until_card_leaves(self) -> None:
        """Wait with what was said for the card to be taken, or for time to be up."""
        with order() as entry:
            while self._is_there():
                with contextlib.suppress(_AskAgain):
                    key = self._next_key(entry)
                    if key is not None and self.hand is not None:
                        self._order(self.hand, entry, key)

    # --- hearing ------------------------------------------------------------------

    def _is_there(self) -> bool:
        return list(self._presence.cards) == [self._insertion]

    def _hear(self, *, is_ending_put_off: bool = False) -> None:
        """Take in what other threads told. Ended, unless that is put off."""
        steps: list[Progress] = []
        for news in self._inbox.take():
            match news:
                case End():
                    self._is_to_end = True
                case JobDone() if news.token is self._awaited:
                    self._done = news
                case JobDone():
                    pass  # nobody waits for it any more
                case HealthNews(faults=faults):
                    self._presence.faults = faults
                case Progress():
                    steps.append(news)
                case _:
                    self._presence.take(cast("ReaderEvent", news))
        self.say(*(of_step(step) for step in steps))  # last: nobody may be there
        if not is_ending_put_off:
            self._end_if_told()

    def _end_if_told(self) -> None:
        if self._is_to_end:
            raise EndRequested


def order() -> LineEntry:
    """Return a line for what the demo's hand is told."""
    return LineEntry(Alphabet.PRINTABLE, _ORDER_CHARACTERS, readable=anything)


def _is_typed(key: Key) -> bool:
    """It types something, or stands for something that was pasted."""
    return key.character is not None or key == PASTE


def _no_such_choice(last: int) -> str:
    """Say which numbers there are."""
    if last == 1:
        return say("plain.only_choice")
    return say("plain.no_such_choice", last=last)
