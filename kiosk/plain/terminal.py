"""The person's terminal: lines out, bytes in, and nothing that the line does itself."""

from __future__ import annotations

import contextlib
import curses
import locale
import os
import re
import select
import sys
import termios
import textwrap
import time
import unicodedata
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from kiosk.faces.keyboard.decoder import Decoder
from kiosk.faces.keyboard.names import Key
from kiosk.faces.terminal_line import TerminalLine

_LOCAL_MODES = termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN
_INPUT_MODES = (
    termios.IXON
    | termios.ISTRIP
    | termios.INLCR
    | termios.IGNCR
    | termios.ICRNL
    | termios.BRKINT
    | termios.PARMRK
)
_ORDINARY = {
    "…": "...",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "‚": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "ß": "ss",
    "œ": "oe",
    "¿": "",
    "¡": "",
    "\u00a0": " ",
    "\u202f": " ",
}
_NARROWEST = 20
_STANDARD_ERROR = 2
_WIDTH, _HEIGHT = 79, 60
"""Where the terminal does not know its size (serial lines): what to count with."""
_LAST_WORDS_SECONDS = 0.5
_PADDING = re.compile(rb"\$<[^>]*>")
"""What terminfo says of waiting; a terminal must not be shown it."""
_ENTER, _LINE_FEED = Key("enter"), Key("ctrl+j")


class Terminal:
    """Two descriptors of one terminal, silent while it is used as a context.

    Nothing waits for it: what it does not take now is sent while keys are waited for.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._line = TerminalLine(reads, writes)
        self._before = termios.tcgetattr(reads)
        self._is_wide = locale.getencoding().lower().startswith("utf")
        self._clear = _clearing(writes)
        self._decoder = Decoder()
        self._pressed: deque[Key] = deque()
        """What the last byte ended and nobody has taken yet."""
        self._came_at = 0.0
        """When the last byte came (monotonic seconds)."""
        self._after_return = False
        """The last key was CR: an LF that follows belongs to it."""

    def __enter__(self) -> Self:
        silent = termios.tcgetattr(self._line.reads)
        silent[0] &= ~_INPUT_MODES
        silent[3] &= ~_LOCAL_MODES
        silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._line.reads, termios.TCSANOW, silent)
        self.forget()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.finish(b"", _LAST_WORDS_SECONDS)
        self.forget()
        with contextlib.suppress(termios.error):  # the line is gone
            termios.tcsetattr(self._line.reads, termios.TCSANOW, self._before)
        self._line.close()

    # --- out ----------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """Write a sentence on lines of its own. TerminalGone."""
        for line in text.split("\n"):
            for piece in self._folded(line, self._width()):
                self.write(f"{piece}\n")

    def ask(self, question: str) -> None:
        """Write a question, folded at words; what is typed stands behind it.

        TerminalGone.
        """
        *before, last = self._folded(question, self._width())
        for piece in before:
            self.write(f"{piece}\n")
        self.write(f"{last} ")

    def _folded(self, line: str, width: int) -> list[str]:
        after = " " * (len(line) - len(line.lstrip()))
        return textwrap.wrap(
            line, width, break_on_hyphens=False, subsequent_indent=after
        ) or [""]

    def write(self, text: str) -> None:
        """Write a part of a line. TerminalGone."""
        if not self._is_wide:
            text = _ascii(text)
        self._put(text.encode())

    def _put(self, text: bytes) -> None:
        self._line.send_the_latest(text)

    def clear(self) -> None:
        """Take what was said out of sight, and out of the memory of the terminal."""
        self._line.drop()
        self._put(self._clear or b"\n" * max(_HEIGHT, self._size()[1]))

    def bell(self) -> None:
        """Call somebody."""
        self.write("\a")

    def _width(self) -> int:
        columns = self._size()[0]
        return max(_NARROWEST, columns - 1) if columns else _WIDTH

    def _size(self) -> tuple[int, int]:
        """Return columns and lines; 0 where the terminal does not know."""
        try:
            size = os.get_terminal_size(self._line.writes)
        except OSError:
            return 0, 0
        return size.columns, size.lines

    def is_gone(self) -> bool:
        """Say whether nobody is at the other end, as a hang-up's signal may mean."""
        try:
            termios.tcgetattr(self._line.reads)
        except termios.error:
            return True
        return False

    # --- in -----------------------------------------------------------------------

    def forget(self) -> None:
        """Drop what was typed and not read."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._line.reads, termios.TCIFLUSH)

    @property
    def has_more(self) -> bool:
        """Something was typed that `wait` has not looked at."""
        reads = self._line.reads
        return bool(self._pressed) or reads in _ready((reads,), (), 0.0)

    def wait(self, other: int, seconds: float) -> tuple[Key | None, bool]:
        """Wait for a key, for `other` to become readable, or for time to pass.

        Return the key that was pressed, if any, and whether `other` is readable. A
        byte may be no more than a part of a key. Bytes come one by one, out of a
        buffer that is wiped. TerminalGone.
        """
        patience = self._decoder.patience
        if patience is not None:
            patience = self._came_at + patience - time.monotonic()
            seconds = min(seconds, max(0.0, patience))
        ready = self._ready(other, 0.0 if self._pressed else seconds)
        if other in ready:
            return None, True
        if not self._pressed:
            if self._line.reads in ready:
                self._take(self._byte())
            elif patience is not None and patience <= seconds:
                self._hear(self._decoder.pause())
        return (self._pressed.popleft() if self._pressed else None), False

    def _take(self, byte: int | None) -> None:
        if byte is not None:
            self._came_at = time.monotonic()
            self._hear(self._decoder.feed((byte,)))

    def _hear(self, keys: list[Key]) -> None:
        """Scanners end a line with CR, LF or both, and mean one Enter."""
        for key in keys:
            is_rest = self._after_return and key == _LINE_FEED
            self._after_return = key == _ENTER
            if not is_rest:
                self._pressed.append(_ENTER if key == _LINE_FEED else key)

    def _ready(self, other: int, seconds: float) -> set[int]:
        """Wait for a key or `other`; meanwhile let the terminal take what waits."""
        deadline = time.monotonic() + seconds
        readable = (self._line.reads, other)
        while True:
            left = deadline - time.monotonic()
            writable = (self._line.writes,) if self._line.is_behind else ()
            ready = _ready(readable, writable, left)
            if self._line.writes in ready:
                self._line.push()
            if left <= 0 or not ready.isdisjoint(readable):
                return ready

    def _byte(self) -> int | None:
        """Return what was typed; None: nothing, after all."""
        try:
            with self._line.receive(1) as typed:
                return typed[0] if typed else None
        finally:
            self._line.forget()


def wait_without_terminal(other: int, seconds: float) -> bool:
    """Wait for `other` to become readable, with nobody there to talk to."""
    return other in _ready((other,), (), seconds)


def _ready(
    readable: tuple[int, ...], writable: tuple[int, ...], seconds: float
) -> set[int]:
    """Wait; return which of them have something, or have gone."""
    waited = select.poll()
    for each in readable:
        waited.register(each, select.POLLIN)
    for each in writable:
        waited.register(each, select.POLLOUT)
    return {each for each, _ in waited.poll(max(0.0, seconds) * 1000)}


def _clearing(descriptor: int) -> bytes:
    """Return what clears this terminal and its scrollback (terminfo: clear, E3)."""
    kind = os.environ.get("TERM", "dumb")
    try:
        curses.setupterm(kind, descriptor)
    except curses.error:
        return b""
    told = (curses.tigetstr("clear") or b"") + (curses.tigetstr("E3") or b"")
    return _PADDING.sub(b"", told)


def _ascii(text: str) -> str:
    """Return the nearest text for a console that knows ASCII only."""
    plain = "".join(_ORDINARY.get(character, character) for character in text)
    apart = unicodedata.normalize("NFKD", plain)
    return apart.encode("ascii", "ignore").decode("ascii")


@contextlib.contextmanager
def of_this_process() -> Iterator[Terminal]:
    """Return the terminal that standard input and output lead to.

    What C libraries write to standard error meanwhile goes nowhere: it would be read
    out among the sentences.
    """
    error = os.dup(_STANDARD_ERROR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    os.close(nowhere)
    try:
        with Terminal(sys.stdin.fileno(), sys.stdout.fileno()) as terminal:
            yield terminal
    finally:
        os.dup2(error, _STANDARD_ERROR)
        os.close(error)
