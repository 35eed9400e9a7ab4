"""The person's terminal: lines out, bytes in, and nothing that the line does itself."""

from __future__ import annotations

import contextlib
import curses
import locale
import os
import select
import sys
import termios
import textwrap
import unicodedata
from collections.abc import Iterator
from types import TracebackType
from typing import Self

_LOCAL_MODES = termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN
_INPUT_MODES = termios.IXON | termios.ISTRIP | termios.INLCR | termios.IGNCR
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
_PLAIN_LINES = 60
"""How many empty lines hide what was said where the terminal cannot be cleared."""


class TerminalGone(Exception):
    """Nobody can be talked to any more."""


class Terminal:
    """Two descriptors of one terminal, silent while it is used as a context."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._before = termios.tcgetattr(reads)
        self._is_wide = locale.getencoding().lower().startswith("utf")
        self._clear = _clearing(writes)

    def __enter__(self) -> Self:
        silent = termios.tcgetattr(self._reads)
        silent[0] &= ~_INPUT_MODES
        silent[3] &= ~_LOCAL_MODES
        termios.tcsetattr(self._reads, termios.TCSAFLUSH, silent)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(termios.error):  # the line is gone
            termios.tcsetattr(self._reads, termios.TCSAFLUSH, self._before)

    # --- out ----------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """Write a sentence on lines of its own. TerminalGone."""
        for line in text.split("\n"):
            folded = textwrap.wrap(line, self._width(), break_on_hyphens=False)
            for piece in folded or [""]:
                self.write(f"{piece}\n")

    def write(self, text: str) -> None:
        """Write a part of a line. TerminalGone."""
        if not self._is_wide:
            text = _ascii(text)
        data = memoryview(text.encode())
        try:
            while data:
                data = data[os.write(self._writes, data) :]
        except OSError as error:
            raise TerminalGone from error

    def clear(self) -> None:
        """Take what was said out of sight, and out of the memory of the terminal."""
        if self._clear:
            os.write(self._writes, self._clear)
        else:
            self.write("\n" * _PLAIN_LINES)

    def bell(self) -> None:
        """Call somebody."""
        self.write("\a")

    def _width(self) -> int:
        with contextlib.suppress(OSError):
            return max(_NARROWEST, os.get_terminal_size(self._writes).columns - 1)
        return 79

    # --- in -----------------------------------------------------------------------

    def forget(self) -> None:
        """Drop what was typed and not read."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._reads, termios.TCIFLUSH)

    def wait(self, other: int, seconds: float) -> tuple[int | None, bool]:
        """Wait for a byte, for `other` to become readable, or for time to pass.

        Return the byte that was typed, if any, and whether `other` is readable. Bytes
        come one by one: Python keeps no copy of those. TerminalGone.
        """
        waited = select.poll()
        waited.register(self._reads, select.POLLIN)
        waited.register(other, select.POLLIN)
        ready = {fd for fd, _ in waited.poll(max(0.0, seconds) * 1000)}
        if other in ready:
            return None, True
        if self._reads in ready:
            return self._byte(), False
        return None, False

    def _byte(self) -> int:
        try:
            data = os.read(self._reads, 1)
        except OSError as error:
            raise TerminalGone from error
        if not data:
            raise TerminalGone
        return data[0]


def _clearing(descriptor: int) -> bytes:
    """Return what clears this terminal and its scrollback (terminfo: clear, E3)."""
    kind = os.environ.get("TERM", "dumb")
    try:
        curses.setupterm(kind, descriptor)
    except curses.error:
        return b""
    return (curses.tigetstr("clear") or b"") + (curses.tigetstr("E3") or b"")


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
