"""BER-TLV, read with bounds and written short (ISO/IEC 7816-4 §5.2.2).

Tags of up to three bytes, definite lengths of up to three length bytes. Anything
else is a MalformedAnswer that names the object and the offset.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.cards.errors import MalformedAnswer


def pack(tag: int, value: bytes | bytearray) -> bytes:
    """Return one TLV."""
    head = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
    return head + _length(len(value)) + value


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes((count,))
    body = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(body),)) + body


def walk(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, value) of each TLV of `data`. MalformedAnswer(name, offset)."""
    at = 0
    while at < len(data):
        tag, at = _read_tag(data, at, name)
        count, at = _read_length(data, at, name)
        if at + count > len(data):
            raise MalformedAnswer(object=name, offset=at)
        yield tag, data[at : at + count]
        at += count


def find(data: bytes, tag: int, name: str) -> bytes | None:
    """Return the value of the first TLV with `tag`, or None."""
    return next((value for found, value in walk(data, name) if found == tag), None)


def need(data: bytes, tag: int, name: str) -> bytes:
    """Return the value of the first TLV with `tag`. MalformedAnswer if none."""
    value = find(data, tag, name)
    if value is None:
        raise MalformedAnswer(object=name, offset=0)
    return value


def _read_tag(data: bytes, at: int, name: str) -> tuple[int, int]:
    tag = data[at]
    at += 1
    if tag & 0x1F != 0x1F:
        return tag, at
    for _ in range(2):
        if at >= len(data):
            raise MalformedAnswer(object=name, offset=at)
        tag = tag << 8 | data[at]
        at += 1
        if not data[at - 1] & 0x80:
            return tag, at
    raise MalformedAnswer(object=name, offset=at)


def _read_length(data: bytes, at: int, name: str) -> tuple[int, int]:
    if at >= len(data):
        raise MalformedAnswer(object=name, offset=at)
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    count = first & 0x7F
    if not 1 <= count <= 3 or at + count > len(data):
        raise MalformedAnswer(object=name, offset=at)
    return int.from_bytes(data[at : at + count], "big"), at + count
