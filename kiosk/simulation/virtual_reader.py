"""A simulated card behind vpcd, the virtual reader of a real pcscd.

The card is the TCP client. A message is two length bytes (big-endian) and a payload;
one byte is a control (power, ATR), anything longer an APDU. vpcd sends length and
payload as separate segments, so a delayed acknowledgement would cost 40 ms an APDU:
TCP_QUICKACK is armed again before every receive.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable

from kiosk.cards.apdu import wipe
from kiosk.cards.errors import CardMute, CardRemoved
from kiosk.core.clock import Clock, SystemClock
from kiosk.simulation.cards.chip import Chip
from kiosk.simulation.cards.faults import FaultHand, Faults

log = logging.getLogger(__name__)

PORT = 35963
"""Where vpcd's first slot waits for its card; the second is one higher."""
_POWER_OFF, _POWER_ON, _RESET, _ATR = 0, 1, 2, 4
_MUTE_ATR = bytes(34)
"""One byte longer than any ATR may be: the reader finds a card that makes no sense."""
_RETRY_SECONDS = 0.1
_LEAVE_SECONDS = 2.0
_EXCHANGE_SECONDS = 0.6
"""No hand exchanges a card faster. The reader looks every 0.4 s and would miss it."""

Connect = Callable[[], socket.socket]
Observe = Callable[[bytes, int], None]
"""Told about every APDU: its header (4 bytes) and the status word. Never the data."""


def tcp(host: str, port: int) -> Connect:
    """Return what connects to a vpcd that can be reached by TCP."""
    return lambda: socket.create_connection((host, port), timeout=_LEAVE_SECONDS)


class VirtualReader:
    """One slot of a vpcd, and the hand that moves cards in it. Any one thread."""

    def __init__(
        self,
        connect: Connect,
        *,
        name: str = "virtual reader",
        observe: Observe | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`connect` may raise OSError while there is no service: it is tried again."""
        self.faults = Faults(clock or SystemClock())
        self._connect = connect
        self._name = name
        self._observe = observe or _nobody
        self._seat: _Seat | None = None
        self._free_from = 0.0
        """When the reader can have noticed that the last card left (monotonic)."""
        self._ready: dict[str, Chip] = {}

    def insert(self, card: Chip) -> None:
        """Put a card in, in place of what is there. The reader notices it in time."""
        self.pull()
        self._seat = _Seat(card, self._connect, self._answer, self._free_from)
        self._seat.start()

    def pull(self) -> None:
        """Take the card out, also from within an APDU."""
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.leave()
            self._free_from = time.monotonic() + _EXCHANGE_SECONDS

    def put_ready(self, name: str, card: Chip) -> None:
        """Keep a card at hand, for `swap`."""
        self._ready[name] = card

    def swap(self, name: str) -> None:
        """Put in a card that was put ready, in place of the one that is there."""
        self.insert(self._ready[name])

    def _answer(self, card: Chip, message: bytearray) -> bytes | bytearray:
        """Answer one message; empty: there is nothing to answer."""
        if len(message) == 1:
            return self._control(card, message[0])
        hand = FaultHand(reader=self._name, pull=self.pull, swap=self.swap)
        header = bytes(message[:4])
        answer = self.faults.transmit(message, card.transmit, hand)
        self._observe(header, int.from_bytes(answer[-2:], "big"))
        return answer

    def _control(self, card: Chip, control: int) -> bytes:
        if control == _ATR:
            return _MUTE_ATR if self.faults.is_mute else card.atr
        if control in (_POWER_OFF, _POWER_ON, _RESET):
            card.power_on()
        return b""


class _Seat:
    """A card's stay in the reader: a thread that reconnects until the card leaves."""

    def __init__(
        self,
        card: Chip,
        connect: Connect,
        answer: Callable[[Chip, bytearray], bytes | bytearray],
        not_before: float,
    ) -> None:
        self._card = card
        self._connect = connect
        self._answer = answer
        self._not_before = not_before
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        """Held while `_line` is set or shut down."""
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="vpcd", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """Hang up; the card has no power any more when this returns."""
        self._leaving.set()
        with self._lock:
            if self._line is not None:
                _hang_up(self._line)
        if self._thread is not threading.current_thread():
            self._thread.join(_LEAVE_SECONDS)

    def _run(self) -> None:
        self._leaving.wait(max(0.0, self._not_before - time.monotonic()))
        while not self._leaving.is_set():
            try:
                with self._connect() as line:
                    self._serve(line)
            except OSError as error:
                log.debug("vpcd.not_connected errno=%s", error.errno)
            except (CardRemoved, CardMute):
                log.debug("vpcd.hung_up")
            finally:
                self._card.power_on()
            self._leaving.wait(_RETRY_SECONDS)

    def _serve(self, line: socket.socket) -> None:
        """Answer messages until somebody hangs up."""
        line.settimeout(None)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._line = line
            if self._leaving.is_set():
                return
        try:
            while message := _message(line):
                try:
                    answer = self._answer(self._card, message)
                finally:
                    wipe(message)
                if answer:
                    line.sendall(len(answer).to_bytes(2, "big") + answer)
        finally:
            with self._lock:
                self._line = None


def _message(line: socket.socket) -> bytearray:
    """Receive one message; empty at the end."""
    size = int.from_bytes(_exactly(line, 2), "big")
    return _exactly(line, size)


def _exactly(line: socket.socket, count: int) -> bytearray:
    """Receive `count` bytes; empty at the end of the line."""
    buffer = bytearray(count)
    at = 0
    with memoryview(buffer) as view:
        while at < count:
            _acknowledge_at_once(line)
            received = line.recv_into(view[at:])
            if received == 0:
                return bytearray()
            at += received
    return buffer


def _acknowledge_at_once(line: socket.socket) -> None:
    """Linux forgets it after some segments; elsewhere there is no such option."""
    if hasattr(socket, "TCP_QUICKACK"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        log.debug("vpcd.hang_up_failed errno=%s", error.errno)


def _nobody(header: bytes, sw: int) -> None:
    """Nobody watches."""
