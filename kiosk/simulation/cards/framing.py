"""The card's side of ISO/IEC 7816-4: lengths, chaining, GET RESPONSE, status words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.cards import status
from kiosk.cards.apdu import wipe

_CHAINED = 0x10
_GET_RESPONSE = 0xC0
_MAX_CHAIN = 1 << 16
_NO_MEMORY = 0x6A84


class Status(Exception):
    """Ends a command with a status word and no data."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class Request:
    """A whole command, put together from its chain."""

    ins: int
    p1: int
    p2: int
    data: bytearray


class Framing:
    """Takes APDUs of any form; gives long answers out in chunks that may be left."""

    def __init__(self, chunk: int) -> None:
        """`chunk` is how many bytes are given before 61xx."""
        self._chunk = chunk
        self._chain = bytearray()
        self._head = b""
        self._waiting = b""

    def power_off(self) -> None:
        """Forget what was half sent and half fetched."""
        self._drop_chain()
        self._waiting = b""

    def transmit(
        self, apdu: bytes | bytearray, execute: Callable[[Request], bytes]
    ) -> bytearray:
        """Return data and status word; `execute` carries out a whole command."""
        try:
            return self._transmit(apdu, execute)
        except Status as ended:
            return bytearray(ended.sw.to_bytes(2, "big"))

    def _transmit(
        self, apdu: bytes | bytearray, execute: Callable[[Request], bytes]
    ) -> bytearray:
        data, le = _body(apdu)
        try:
            cla, ins, p1, p2 = apdu[:4]
            if ins == _GET_RESPONSE:
                return self._more(le)
            self._waiting = b""
            if self._head != apdu[1:4]:
                self._drop_chain()
            if cla & _CHAINED:
                self._keep(apdu[1:4], data)
                return bytearray(status.OK.to_bytes(2, "big"))
            data[:0] = self._chain
            self._drop_chain()
            self._waiting = execute(Request(ins, p1, p2, data))
            return self._answer(le)
        finally:
            wipe(data)

    def _keep(self, head: bytes | bytearray, data: bytearray) -> None:
        if len(self._chain) + len(data) > _MAX_CHAIN:
            self._drop_chain()
            raise Status(_NO_MEMORY)
        self._head = bytes(head)
        self._chain += data

    def _drop_chain(self) -> None:
        wipe(self._chain)
        self._chain = bytearray()
        self._head = b""

    def _more(self, le: int | None) -> bytearray:
        if not self._waiting:
            raise Status(status.CONDITIONS)
        return self._answer(le)

    def _answer(self, le: int | None) -> bytearray:
        """Give out a chunk; an Le below it leaves the rest for GET RESPONSE."""
        limit = min(le or 256, self._chunk)
        part, self._waiting = self._waiting[:limit], self._waiting[limit:]
        rest = len(self._waiting)
        if rest == 0:
            return bytearray(part + status.OK.to_bytes(2, "big"))
        told = 0 if rest >= self._chunk == 256 else min(rest, 0xFF)
        return bytearray(part + bytes((0x61, told)))


def _body(apdu: bytes | bytearray) -> tuple[bytearray, int | None]:
    """Return data and Le of a short or extended APDU (ISO/IEC 7816-3 §12.1)."""
    if len(apdu) < 4:
        raise Status(status.WRONG_LENGTH)
    rest = apdu[4:]
    if not rest:
        return bytearray(), None
    if len(rest) == 1:
        return bytearray(), rest[0] or 256
    if rest[0] == 0 and len(rest) >= 3:
        return _extended(rest)
    count = rest[0]
    return _cut(rest, 1, count, le_bytes=1)


def _extended(rest: bytes | bytearray) -> tuple[bytearray, int | None]:
    count = rest[1] << 8 | rest[2]
    if len(rest) == 3:
        return bytearray(), count or 1 << 16
    return _cut(rest, 3, count, le_bytes=2)


def _cut(
    rest: bytes | bytearray, at: int, count: int, *, le_bytes: int
) -> tuple[bytearray, int | None]:
    data, le = rest[at : at + count], rest[at + count :]
    if len(data) != count or len(le) not in (0, le_bytes):
        raise Status(status.WRONG_LENGTH)
    longest = 1 << 8 * le_bytes
    return bytearray(data), (int.from_bytes(le, "big") or longest) if le else None
