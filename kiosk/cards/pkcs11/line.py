"""One message after the other on a socket, both sides the same."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from kiosk.cards.pkcs11.messages import LONGEST

_LENGTH = 4


class Garbled(Exception):
    """What came is no message of ours."""


def write(connection: socket.socket, message: msgspec.Struct) -> None:
    """Send a message; what was sent is wiped. OSError."""
    packed = bytearray()
    msgspec.msgpack.Encoder().encode_into(message, packed)
    try:
        connection.sendall(len(packed).to_bytes(_LENGTH, "big"))
        connection.sendall(packed)
    finally:
        packed[:] = bytes(len(packed))


def read(connection: socket.socket, kind: Any) -> Any:
    """Wait for a message of a union of kinds; None: the other side has closed the line.

    OSError, Garbled.
    """
    head = _exactly(connection, _LENGTH)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if length > LONGEST:
        raise Garbled
    packed = _exactly(connection, length)
    if packed is None:
        raise Garbled
    try:
        return msgspec.msgpack.decode(packed, type=kind)
    except msgspec.MsgspecError as error:
        raise Garbled from error
    finally:
        packed[:] = bytes(length)


def _exactly(connection: socket.socket, length: int) -> bytearray | None:
    """Read so many bytes; None: the line ended before the first, or in between."""
    got = bytearray(length)
    view, at = memoryview(got), 0
    while at < length:
        count = connection.recv_into(view[at:])
        if count == 0:
            return None
        at += count
    return got
