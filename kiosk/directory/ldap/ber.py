"""BER (X.690) as RFC 4511 uses it, as far as we encode requests ourselves. Pure."""

from __future__ import annotations

INTEGER, OCTETS, ENUMERATED, BOOLEAN = 0x02, 0x04, 0x0A, 0x01
SEQUENCE, SET = 0x30, 0x31


def message(
    number: int, operation: bytearray, controls: bytes | bytearray = b""
) -> bytearray:
    """Encode an LDAP message (4.1.1)."""
    encoded = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return tlv(SEQUENCE, tlv(INTEGER, encoded), operation, controls)


def tlv(tag: int, *parts: bytes | bytearray) -> bytearray:
    """Put parts together under a tag; parts that are buffers are wiped."""
    content = sum(len(part) for part in parts)
    head = bytes((tag, *_length(content)))
    whole = bytearray(len(head) + content)
    whole[: len(head)] = head
    at = len(head)
    for part in parts:
        whole[at : at + len(part)] = part
        at += len(part)
        if isinstance(part, bytearray):
            wipe(part)
    return whole


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros."""
    buffer[:] = bytes(len(buffer))


def _length(content: int) -> bytes:
    if content < 0x80:
        return bytes((content,))
    digits = content.to_bytes((content.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits), *digits))
