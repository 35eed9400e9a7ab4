"""A real pseudo-terminal with a program in it, read as a person would read it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyte

from kiosk.faces.turn import HELD

_NOTHING_SECONDS = 15.0
"""After which nobody waits any more for what a key does."""


class Terminal:
    """The program, its keys and its screen."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        size: tuple[int, int],
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(
            slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0)
        )
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_sit_down,
        )
        self._name = os.ttyname(slave)
        os.close(slave)
        self.raw = bytearray()
        """Every byte the program wrote."""
        self._drawn = 0
        """How many of them are on the screen: drawing waits until somebody looks."""
        self._last = ""
        """The key that was pressed last, by `type`."""
        self._lifted = 0.0
        """When it is certainly heard as left (monotonic seconds)."""
        self._still: tuple[str, float] | None = None
        """What is shown, and since when, where the same key was pressed again."""
        self.is_stalled = False
        """It takes nothing that the program writes."""

    def text(self) -> str:
        """What the screen shows now."""
        self._read(0.0)
        self._draw()
        return "\n".join(line.rstrip() for line in self._screen.display)

    def read(self) -> None:
        """Take what the program wrote; nobody looks at it yet."""
        self._read(0.0)

    def type(self, keys: str) -> None:
        """Press keys; \\r is Enter.

        As a person does: the finger leaves a key before it presses the same one at the
        next page, where a key that is held down would not count.
        """
        is_same = keys[:1] == self._last
        while is_same and time.monotonic() < self._lifted:
            self._read(0.1)
        self.send(keys.encode())
        self._last = keys[-1:]
        self._lifted = time.monotonic() + 1.5 * HELD
        self._still = ("", time.monotonic()) if is_same and len(keys) == 1 else None

    def _press_again(self, text: str) -> None:
        """Press the last key once more if nothing moves any more.

        Where the machine was too busy for the program to hear that the finger had left
        it, it counted as held.
        """
        if self._still is None:
            return
        before, since = self._still
        if text != before:
            self._still = text, time.monotonic()
        elif time.monotonic() > since + _NOTHING_SECONDS:
            self.type(self._last)

    def send(self, data: bytes) -> None:
        """Send these very bytes, as the terminal would."""
        view = memoryview(data)
        while view:
            self._read(0.0)  # so that neither side waits for the other
            view = view[os.write(self._master, view) :]

    def until(
        self, holds: Callable[[str], bool], what: str, seconds: float = 60.0
    ) -> str:
        """Wait until the screen says something; return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.text()
            if holds(text):
                return text
            if self.process.poll() is not None:
                break
            self._press_again(text)
            self._read(0.1)
        raise AssertionError(f"waited for {what}; the screen says:\n{self.text()}")

    def shows(self, words: str, seconds: float = 60.0) -> str:
        """Wait until these words are on the screen."""
        return self.until(lambda text: words in text, words, seconds)

    def until_said(self, words: str, start: int, seconds: float = 60.0) -> str:
        """Wait for words among the characters that came after the first `start`."""
        return self.until_one_said((words,), start, seconds)[0]

    def until_one_said(
        self, choices: tuple[str, ...], start: int, seconds: float
    ) -> tuple[str, str]:
        """Wait for the first of some words; return what came up to it, and it."""
        deadline = time.monotonic() + seconds
        while True:
            said = self.raw.decode("utf-8", "replace")[start:]
            found = [(said.find(each), each) for each in choices if each in said]
            if found:
                at, first = min(found)
                return said[: at + len(first)], first
            ended = self.process.poll() is not None
            if time.monotonic() > deadline or (
                ended and not _is_readable(self._master, 0.1)
            ):
                raise AssertionError(f"waited for {choices}; was told:\n{said}")
            self._read(0.1)

    def end_program(self) -> None:
        """Ask what runs in front to end, as a service manager would."""
        os.killpg(os.tcgetpgrp(self._master), signal.SIGTERM)

    def shows_often(self, words: str, times: int) -> str:
        """Wait until these words are on the screen that often."""
        return self.until(lambda text: text.count(words) >= times, f"{times} {words}")

    def take(self, most: int) -> None:
        """Let a line that is stalled or slow carry a few bytes."""
        if _is_readable(self._master, 0.0):
            self.raw += os.read(self._master, most)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window another size, as the window system does."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        if columns <= 1000:
            self._draw()
            self._screen.resize(lines, columns)

    def close_line(self) -> None:
        """Hang up: the terminal is gone."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def wait_unread(self, seconds: float = 15.0) -> int:
        """Wait for the program to end while nobody reads what it writes."""
        return self.process.wait(seconds)

    def stop_reading(self) -> None:
        """Take nothing any more, at once: what is written from now on waits."""
        self._flow(termios.TCOOFF)

    def go_on_reading(self) -> None:
        """Take again what is written."""
        self._flow(termios.TCOON)

    def await_keys_taken(self) -> None:
        """Wait until what was typed has reached the program's side, and it has it all.

        The kernel hands typed bytes on in its own time: none that wait at first are
        none that have come yet.
        """
        deadline = time.monotonic() + 60.0
        while not self._keys_waiting() and time.monotonic() < deadline:
            time.sleep(0.001)
        while self._keys_waiting() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert time.monotonic() < deadline, "the keys were never seen, or not taken"

    def _keys_waiting(self) -> int:
        """How many typed bytes the program has not read yet."""
        slave = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        count = fcntl.ioctl(slave, termios.FIONREAD, bytes(4))
        os.close(slave)
        return int.from_bytes(count, sys.byteorder)

    def _flow(self, action: int) -> None:
        slave = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        termios.tcflow(slave, action)
        os.close(slave)

    def read_a_little(self, most: int) -> None:
        """Read as a slow line does."""
        if _is_readable(self._master, 0.0):
            self.raw += os.read(self._master, most)

    def memory(self) -> int:
        """Bytes of the program's that are in memory now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> int:
        """Ask the program to end, and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float = 15.0) -> int:
        """Wait for the program to end by itself; its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        if self.process.poll() is None:
            self.process.kill()
        code = self.process.wait()
        self._read(0.0)  # what it wrote last, and nobody has taken yet
        return code

    def _has_come(self, seconds: float) -> bool:
        is_open = self._master >= 0 and not self.is_stalled
        return is_open and _is_readable(self._master, seconds)

    def _read(self, seconds: float) -> None:
        while self._has_come(seconds):
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other side has closed
                return
            if not data:
                return
            self.raw += data
            seconds = 0.0

    def _draw(self) -> None:
        new, self._drawn = bytes(self.raw[self._drawn :]), len(self.raw)
        self._stream.feed(new)


@contextlib.contextmanager
def terminal(
    command: Sequence[str],
    *,
    environment: dict[str, str] | None = None,
    size: tuple[int, int] = (80, 24),
    pass_fds: Sequence[int] = (),
) -> Iterator[Terminal]:
    """Run a program on a terminal of its own until the block ends."""
    shown = Terminal(command, environment or dict(os.environ), size, pass_fds)
    try:
        yield shown
    finally:
        shown.end()
        shown.close_line()


def _sit_down() -> None:
    """Have this terminal, and hear its keys: who runs in the background does not."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def _is_readable(descriptor: int, seconds: float) -> bool:
    """Wait for something to read; unlike select(), for descriptors of any number."""
    line = select.poll()
    line.register(descriptor, select.POLLIN)
    return bool(line.poll(seconds * 1000))
