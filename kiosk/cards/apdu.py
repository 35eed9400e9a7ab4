"""Command and response APDUs, short form only (ISO/IEC 7816-4 §5.1).

Long data goes out as a command chain of 255-byte parts and comes back through GET
RESPONSE. This works on every card and reader, T=0 included, and costs one or two
APDUs more per RSA signature than extended length would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from kiosk.cards.ports import MalformedAnswer

PART = 255
MAX_ANSWER = 1 << 16
"""Bytes of one answer before we stop listening to a card that never ends."""
_CHAINED = 0x10
_GET_RESPONSE = 0xC0


class Line(Protocol):
    """What carries one short APDU (`ports.Connection`)."""

    def transmit(self, apdu: bytearray) -> bytearray:
        """Send one command, return data and status word."""


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """A command APDU. `le` None: no answer expected; 0: up to 256 bytes.

    `secret` marks commands whose data compares a PIN or PUK: they are sent exactly
    once, whatever the card answers.
    """

    ins: int
    p1: int
    p2: int
    data: bytes | bytearray = field(default=b"")
    le: int | None = None
    secret: bool = False

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
        return self.sw == 0x9000

    def __repr__(self) -> str:
        return f"Response({len(self.data)} bytes, {self.sw:04X})"


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros."""
    for index in range(len(buffer)):
        buffer[index] = 0


def send(line: Line, command: Command) -> Response:
    """Send a command of any length and collect its whole answer.

    MalformedAnswer for an answer without a status word, or without an end.
    """
    parts = [command.data[at : at + PART] for at in range(0, len(command.data), PART)]
    for part in parts[:-1]:
        response = _exchange(line, command, part, chained=True, le=None)
        if not response.is_ok:
            return response
    last = parts[-1] if parts else b""
    response = _exchange(line, command, last, chained=False, le=command.le)
    if response.sw >> 8 == 0x6C and not command.secret:
        wanted = response.sw & 0xFF
        response = _exchange(line, command, last, chained=False, le=wanted)
    return _collect(line, response)


def _collect(line: Line, response: Response) -> Response:
    """Fetch what is announced by 61xx, within bounds."""
    data = bytearray(response.data)
    while response.sw >> 8 == 0x61:
        more = bytearray((0x00, _GET_RESPONSE, 0x00, 0x00, response.sw & 0xFF))
        response = _split(line.transmit(more))
        data += response.data
        if len(data) > MAX_ANSWER or (response.sw >> 8 == 0x61 and not response.data):
            raise MalformedAnswer(object="answer", offset=len(data))
    return Response(bytes(data), response.sw)


def _exchange(
    line: Line,
    command: Command,
    data: bytes | bytearray,
    *,
    chained: bool,
    le: int | None,
) -> Response:
    apdu = bytearray((_CHAINED if chained else 0, command.ins, command.p1, command.p2))
    if data:
        apdu.append(len(data))
        apdu += data
    if le is not None:
        apdu.append(le & 0xFF)
    try:
        return _split(line.transmit(apdu))
    finally:
        wipe(apdu)


def _split(answer: bytearray) -> Response:
    if len(answer) < 2:
        raise MalformedAnswer(object="answer", offset=len(answer))
    sw = answer[-2] << 8 | answer[-1]
    data = bytes(answer[:-2])
    wipe(answer)
    return Response(data, sw)
