"""What somebody types at the terminal and nobody may see."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.cli.waiting import await_line
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret

_LONGEST = 1024
"""Bytes: longer than any password of a directory (127 characters there)."""
_ENDS = (b"\n", b"\r", b"")


class NoTerminal(KioskError):
    """A secret must be typed, and there is no terminal to type it at."""

    code = "cli.no_terminal"


class TypedTooLong(KioskError):
    """More was typed than anything that is asked for can be."""

    code = "cli.typed_too_long"


def ask_secret(prompt: str) -> Secret:
    """Ask at the terminal itself, without echo; its caller wipes the answer.

    Reads byte by byte into a buffer of its own, so no copy stays in a stream.
    NoTerminal, TypedTooLong.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise NoTerminal from error
    try:
        with _without_echo(terminal):  # before the prompt: somebody may type at once
            os.write(terminal, prompt.encode())
            return _line(terminal)
    finally:
        os.write(terminal, b"\n")
        os.close(terminal)


def _line(terminal: int) -> Secret:
    """Read up to the end of the line, into a buffer that never has to grow."""
    buffer = bytearray(_LONGEST + 1)
    count = 0
    try:
        await_line(terminal)
        while count <= _LONGEST and (byte := os.read(terminal, 1)) not in _ENDS:
            buffer[count] = byte[0]
            count += 1
        if count > _LONGEST:
            raise TypedTooLong(most=_LONGEST)
        with memoryview(buffer) as view:
            return Secret(view[:count])
    finally:
        buffer[:] = bytes(len(buffer))


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
