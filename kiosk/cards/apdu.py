"""Command and response APDUs, short form only (ISO/IEC 7816-4 §5.1).

Long data goes out as a command chain of 255-byte parts and comes back through GET
RESPONSE. This works on every card and reader, T=0 included, and costs one or two
APDUs more per RSA signature than extended length would.

Every buffer that is sent is wiped afterwards, because it may hold a PIN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kiosk.cards import status
from kiosk.cards.errors import MalformedAnswer

PART = 255
MAX_ANSWER = 1 << 16
"""Bytes of one answer before we stop listening to a card that never ends."""
MAX_PARTS = 512
"""Parts of one answer: a card that sends it byte by byte wastes a person's time."""
_CHAINED = 0x10
_GET_RESPONSE = 0xC0


class ApduTransport(Protocol):
    """What carries one short APDU (`ports.Connection`)."""

    def transmit(self, apdu: bytearray) -> bytearray:
        """Send one command, return data and status word."""


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """A command APDU.

    `le` None: no answer is expected; 0: up to 256 bytes. `compares` marks commands
    that compare a PIN or PUK: they are sent exactly once, whatever comes back.
    """

    ins: int
    p1: int
    p2: int
    data: bytes | bytearray = b""
    le: int | None = None
    compares: bool = False

    def __repr__(self) -> str:
        head = f"{self.ins:02X} {self.p1:02X} {self.p2:02X}"
        return f"Command({head}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class Response:
    """Data and status word of an answer."""

    data: bytes
    sw: int

    @property
    def is_ok(self) -> bool:
        return self.sw == status.OK

    def __repr__(self) -> str:
        return f"Response({len(self.data)} bytes, {self.sw:04X})"


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros."""
    buffer[:] = bytes(len(buffer))


def send(line: ApduTransport, command: Command) -> Response:
    """Send a command of any length and collect its whole answer.

    A chain ends at the first part that is refused. MalformedAnswer for an answer
    without a status word, or without an end.
    """
    with memoryview(command.data) as data:
        last = max(0, (len(data) - 1) // PART * PART)
        for at in range(0, last, PART):
            response = _exchange(line, command, data[at : at + PART], cla=_CHAINED)
            if not response.is_ok:
                return response
        response = _exchange(line, command, data[last:], le=command.le)
        if status.is_wrong_le(response.sw) and not command.compares:
            response = _exchange(line, command, data[last:], le=response.sw)
    return _collect(line, response)


def _collect(line: ApduTransport, response: Response) -> Response:
    """Fetch what 61xx announces, within bounds."""
    data = bytearray(response.data)
    more = Command(_GET_RESPONSE, 0x00, 0x00)
    parts = 0
    while status.is_more(response.sw):
        parts += 1
        response = _exchange(line, more, memoryview(b""), le=response.sw)
        if status.is_wrong_le(response.sw):
            response = _exchange(line, more, memoryview(b""), le=response.sw)
        data += response.data
        is_stuck = status.is_more(response.sw) and not response.data
        if is_stuck or len(data) > MAX_ANSWER or parts > MAX_PARTS:
            raise MalformedAnswer(object="answer", offset=len(data))
    return Response(bytes(data), response.sw)


def _exchange(
    line: ApduTransport,
    command: Command,
    data: memoryview,
    *,
    cla: int = 0,
    le: int | None = None,
) -> Response:
    """Send one part. `le` counts modulo 256: the low byte of a status word will do."""
    apdu = bytearray(4 + (len(data) + 1 if data else 0) + (le is not None))
    apdu[:4] = cla, command.ins, command.p1, command.p2
    if data:
        apdu[4] = len(data)
        apdu[5 : 5 + len(data)] = data
    if le is not None:
        apdu[-1] = le & 0xFF
    try:
        return _split(line.transmit(apdu))
    finally:
        wipe(apdu)


def _split(answer: bytearray) -> Response:
    if len(answer) < 2:
        raise MalformedAnswer(object="answer", offset=len(answer))
    response = Response(bytes(answer[:-2]), answer[-2] << 8 | answer[-1])
    wipe(answer)
    return response
