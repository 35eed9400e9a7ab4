"""A trace of what is said to a card, with every secret byte masked (`masking`)."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable

from kiosk.cards.errors import CardError
from kiosk.cards.masking import Masking, Showing, data_size
from kiosk.cards.ports import Connection, Pinpad
from kiosk.cards.values import PadCommand
from kiosk.core.clock import Clock, SystemClock
from kiosk.core.secret import Secret
from kiosk.core.untrusted_text import visible

log = logging.getLogger(__name__)
_HEADER = 4


class Trace:
    """Where traced connections write; any thread."""

    def __init__(
        self, write: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        """`write` takes one line, without its end."""
        self._write = write
        self._clock = clock or SystemClock()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def around(self, connection: Connection) -> Connection:
        """Return the connection, traced from here on under a number of its own."""
        return TracedConnection(connection, self, next(self._numbers))

    def line(self, number: int, text: str) -> None:
        """Write a line of one connection; where that fails, the trace ends there.

        The card is never told less because the disk is full.
        """
        with self._lock:
            try:
                self._write(f"[{number}] {text}")
            except OSError as error:
                log.error("trace.ended errno=%s", error.errno)
                self._write = _nowhere

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._clock.monotonic()


class TracedConnection:
    """`ports.Connection` that writes down what passes through it."""

    def __init__(self, connection: Connection, trace: Trace, number: int) -> None:
        self._connection = connection
        self._trace = trace
        self._number = number
        self._masking = Masking()
        self._say(f"{visible(connection.reader)}, {self._beginning()}")

    @property
    def reader(self) -> str:
        return self._connection.reader

    @property
    def atr(self) -> bytes:
        return self._connection.atr

    @property
    def pinpad(self) -> Pinpad | None:
        pad = self._connection.pinpad
        return TracedPad(pad, self._say) if pad is not None else None

    def begin(self) -> None:
        self._say("begin")
        self._connection.begin()

    def hold(self) -> None:
        self._say("hold")
        self._connection.hold()

    def end(self) -> None:
        self._say("end, reset")
        self._connection.end()

    def transmit(self, apdu: bytearray) -> bytearray:
        mask = self._masking.of(apdu)
        self._say(f"> {_command(apdu, mask.command)}")
        began = self._trace.now()
        try:
            answer = self._connection.transmit(apdu)
        except CardError as error:
            self._say(f"< {error.code}")
            raise
        milliseconds = 1000 * (self._trace.now() - began)
        self._say(f"< {_answer(answer, mask.answer)} ({milliseconds:.1f} ms)")
        return answer

    def close(self) -> None:
        self._say("close")
        self._connection.close()

    def _beginning(self) -> str:
        try:
            return f"ATR {_hex(self._connection.atr)}"
        except CardError as error:
            return error.code

    def _say(self, text: str) -> None:
        self._trace.line(self._number, text)


class TracedPad:
    """`ports.Pinpad` that writes down which command was entered there, and its end."""

    def __init__(self, pad: Pinpad, say: Callable[[str], None]) -> None:
        self._pad = pad
        self._say = say

    def verify(self, command: PadCommand) -> int:
        return self._told(command, lambda: self._pad.verify(command))

    def modify(
        self,
        command: PadCommand,
        *,
        asks_current: bool = True,
        known: Secret | None = None,
    ) -> int:
        return self._told(
            command,
            lambda: self._pad.modify(command, asks_current=asks_current, known=known),
        )

    def _told(self, command: PadCommand, enter: Callable[[], int]) -> int:
        self._say(f"> {_hex(command.header)} [typed at the reader]")
        try:
            sw = enter()
        except CardError as error:
            self._say(f"< {error.code}")
            raise
        self._say(f"< {sw:04X}")
        return sw


def _command(apdu: bytearray, showing: Showing) -> str:
    """Return header and data. Nothing that is masked is copied."""
    head, size = _hex(apdu[:_HEADER]), data_size(apdu)
    if size == 0:
        return f"{head} {_hex(apdu[_HEADER:])}".rstrip()
    if size is None or showing is Showing.NOTHING:
        return f"{head} [masked]"
    if showing is Showing.LENGTH:
        return f"{head} [{size} bytes masked]"
    at = _HEADER + 1
    data, le = apdu[at : at + size], apdu[at + size :]
    return f"{head} {size:02X} {_hex(data)} {_hex(le)}".rstrip()


def _answer(answer: bytearray, showing: Showing) -> str:
    """Return data and status word; what is too short for one is masked whole."""
    if len(answer) < 2:
        return f"[{len(answer)} bytes, no status word]"
    data, sw = answer[:-2], answer[-2:]
    if not data:
        return _hex(sw)
    if showing is Showing.BYTES:
        return f"{_hex(data)} {_hex(sw)}"
    return f"[{len(data)} bytes masked] {_hex(sw)}"


def _hex(data: bytes | bytearray) -> str:
    return data.hex().upper()


def _nowhere(line: str) -> None:
    """The trace has ended."""
