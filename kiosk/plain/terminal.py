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
import unicodedata
from collections.abc import Iterator
from types import TracebackType
from typing import Self

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
_PATIENCE_SECONDS = 10.0
"""How long a terminal may take nothing before it counts as gone."""
_PADDING = re.compile(rb"\$<[^>]*>")
"""What terminfo says of waiting; a terminal must not be shown it."""
_RETURN, _NEWLINE = 0x0D, 0x0A


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
        self._was_return = False
        """The last byte was CR: an LF that follows belongs to it."""

    def __enter__(self) -> Self:
        silent = termios.tcgetattr(self._reads)
        silent[0] &= ~_INPUT_MODES
        silent[3] &= ~_LOCAL_MODES
        silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
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
        self._put(text.encode())

    def _put(self, text: bytes) -> None:
        data = memoryview(text)
        ready = select.poll()
        ready.register(self._writes, select.POLLOUT)
        try:
            while data:
                if not ready.poll(_PATIENCE_SECONDS * 1000):
                    raise TerminalGone
                data = data[os.write(self._writes, data) :]
        except OSError as error:
            raise TerminalGone from error

    def clear(self) -> None:
        """Take what was said out of sight, and out of the memory of the terminal."""
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
            size = os.get_terminal_size(self._writes)
        except OSError:
            return 0, 0
        return size.columns, size.lines

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
        ready = _readable((self._reads, other), seconds)
        if other in ready:
            return None, True
        if self._reads not in ready:
            return None, False
        byte = self._byte()
        was_return, self._was_return = self._was_return, byte == _RETURN
        return (None if was_return and byte == _NEWLINE else byte), False

    def _byte(self) -> int:
        try:
            data = os.read(self._reads, 1)
        except OSError as error:
            raise TerminalGone from error
        if not data:
            raise TerminalGone
        return data[0]


def wait_without_terminal(other: int, seconds: float) -> bool:
    """Wait for `other` to become readable, with nobody there to talk to."""
    return other in _readable((other,), seconds)


def _readable(descriptors: tuple[int, ...], seconds: float) -> set[int]:
    waited = select.poll()
    for each in descriptors:
        waited.register(each, select.POLLIN)
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
