"""Who stands at the terminal: presses keys, waits until nothing moves, and looks."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.matrix import room as program
from lab.matrix.control import Line, Order
from lab.matrix.room import PLAIN_PROBES, PROBES
from lab.terminal.terminal import Terminal

_PATIENCE = (0.25, 0.25, 0.25, 0.7, 2.5, 2.5)
"""How long a probe may be on its way before it is sent again (seconds): whatever
came before it may have been the beginning of a key, a string or a paste.
"""
_ESCAPES = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|\][^\x07]*\x07|[=>78])")


class NotResponding(AssertionError):
    """The program does not take keys any more."""


class Visitor:
    """One program on one terminal."""

    def __init__(
        self,
        face: str,
        manner: str = "",
        size: tuple[int, int] = (80, 24),
        kind: type[Terminal] = Terminal,
    ) -> None:
        self._line = Line()
        self._folder = tempfile.TemporaryDirectory(prefix="matrix-")
        self.log = Path(self._folder.name, "log")
        command = [
            sys.executable,
            program.__file__,
            face,
            str(self._line.descriptor),
            str(self.log),
            manner,
        ]
        self.terminal = kind(command, dict(os.environ), size, (self._line.descriptor,))
        self._line.begun()
        self._probes = (
            [bytes((each,)) for each in PLAIN_PROBES]
            if face == "plain"
            else list(PROBES.values())
        )
        self._turn = 0
        self._seen = 0
        self._read_log = 0
        self.shown = ""
        """What the program calls the screen that is there."""

    def ask(self, do: str, **values: object) -> Order:
        """Have the laboratory's hand do something, or read what is true."""
        return self._line.ask(do, **values)

    def press(self, data: bytes) -> None:
        """Send bytes, and wait for nothing."""
        self.terminal.send(data)

    def settle(
        self,
        longest: float | None = None,
        *,
        is_drawn: bool = True,
        is_read: bool | None = None,
    ) -> str:
        """Wait until everything typed has been handled; say what is shown.

        `longest`: for what it brought about, no longer than that (seconds).
        `is_drawn`: what has changed can be seen, too.
        `is_read`: the terminal takes all of it; None: unless it is stalled.
        """
        if is_read is None:
            is_read = not self.terminal.is_stalled
        for patience in _PATIENCE:
            self._turn = (self._turn + 1) % len(self._probes)
            self.terminal.send(self._probes[self._turn])
            answer = self._line.ask(
                "still",
                self.terminal.read,  # a terminal reads while its person waits
                probe=self._turn,
                patience=patience,
                longest=longest,
                is_read=is_read,
                is_drawn=is_drawn,
            )
            self.terminal.read()
            if answer["probed"]:
                self.shown = str(answer["shown"])
                return self.shown
            if self.terminal.process.poll() is not None:
                raise NotResponding(f"it has ended: {self.terminal.process.poll()}")
            # It was taken for the end of another key, or is still on its way.
        raise NotResponding("no key is taken any more")

    def type(self, *pieces: bytes) -> str:
        """Press pieces one after the other, each looked at before the next."""
        self.ask("rest")
        for piece in pieces:
            self.press(piece)
            self.settle()
            self.ask("rest")
        return self.shown

    def text(self) -> str:
        """What can be read now."""
        return self.terminal.text()

    def written(self) -> bytes:
        """What was written to the terminal since last asked, without its commands."""
        self.terminal.read()
        new, self._seen = bytes(self.terminal.raw[self._seen :]), len(self.terminal.raw)
        return _ESCAPES.sub(b"", new)

    def complaints(self) -> list[str]:
        """What went into the log since last asked that tells of a defect."""
        if not self.log.exists():
            return []
        with self.log.open() as lines:
            lines.seek(self._read_log)
            new = lines.read()
            self._read_log = lines.tell()
        bad = (" ERROR ", " CRITICAL ", "Traceback")
        return [line for line in new.splitlines() if any(it in line for it in bad)]

    def facts(self) -> dict[str, Any]:
        """What is true after all."""
        return self.ask("facts")

    def end(self) -> int:
        """Go home; the program's exit code."""
        code = self.terminal.end()
        self.terminal.close_line()
        with contextlib.suppress(OSError):
            self._line.close()
        self._folder.cleanup()
        return code


@contextlib.contextmanager
def visitor(
    face: str, manner: str = "", size: tuple[int, int] = (80, 24)
) -> Iterator[Visitor]:
    """Run a face's program until the block ends."""
    it = Visitor(face, manner, size)
    try:
        it.terminal.until(lambda _: bool(it.terminal.raw), "something drawn")
        yield it
    finally:
        it.end()
