"""The LDAP requests that prove or set a secret, encoded here and wiped after sending.

ldap3 would keep them in `connection.request`, as immutable bytes, and write them into
its log. BER of RFC 4511: a simple or SASL bind (4.2) and a modify (4.6).
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.secret import Secret

_INTEGER, _OCTETS, _ENUMERATED = 0x02, 0x04, 0x0A
_SEQUENCE, _SET = 0x30, 0x31
_BIND, _SIMPLE, _SASL, _MODIFY = 0x60, 0x80, 0xA3, 0x66
_BOOLEAN, _CONTROLS = 0x01, 0xA0
_VERSION = b"\x03"
_REPLACE = b"\x02"
_QUOTE = 0x22
_LEAST = (0, 0, 0x80, 0x800, 0x10000)
"""The first character that needs so many bytes."""
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_HINTS = bytes.fromhex("3003020101")
"""PolicyHintsRequestValue (MS-ADTS 3.1.1.3.4.1.27): obey the history and the ages."""


def bind(message: int, name: str, password: Secret) -> bytearray:
    """Encode a simple bind. The caller wipes what is returned.

    An empty password is no bind but an anonymous one that succeeds: ValueError.
    """
    if not password:
        raise ValueError("an empty password would sign in as nobody")
    return _message(
        message,
        _tlv(
            _BIND,
            _tlv(_INTEGER, _VERSION),
            _tlv(_OCTETS, name.encode()),
            _tlv(_SIMPLE, bytearray(password.reveal())),
        ),
    )


def negotiate(message: int, mechanism: str, token: bytes) -> bytearray:
    """Encode one step of a SASL bind, as whoever the token says."""
    return _message(
        message,
        _tlv(
            _BIND,
            _tlv(_INTEGER, _VERSION),
            _tlv(_OCTETS, b""),
            _tlv(_SASL, _tlv(_OCTETS, mechanism.encode()), _tlv(_OCTETS, token)),
        ),
    )


def reset(message: int, dn: str, password: Secret, control: str = "") -> bytearray:
    """Encode one modify that replaces `unicodePwd` and clears `lockoutTime`.

    `password` is UTF-8 text; the caller wipes what is returned. `control` is the OID
    of a policy hints control, to be obeyed or else the request refused. ValueError if
    the password is no UTF-8.
    """
    return _message(
        message,
        _tlv(
            _MODIFY,
            _tlv(_OCTETS, dn.encode()),
            _tlv(
                _SEQUENCE,
                _replacing(b"unicodePwd", quoted_utf16(password)),
                _replacing(b"lockoutTime", bytearray(b"0")),
            ),
        ),
        _critical(control) if control else bytearray(),
    )


def quoted_utf16(password: Secret) -> bytearray:
    """Return `"password"` as UTF-16LE, as `unicodePwd` wants it (MS-ADTS 3.1.1.3.1.5).

    Makes no `str`. The caller wipes what is returned.
    """
    text = password.reveal()
    units = bytearray(2 * len(text) + 4)
    end = _put(units, 0, _QUOTE)
    for point in _code_points(text):
        if point > 0xFFFF:
            end = _put(units, end, 0xD800 + ((point - 0x10000) >> 10))
            end = _put(units, end, 0xDC00 + (point & 0x3FF))
        else:
            end = _put(units, end, point)
    end = _put(units, end, _QUOTE)
    del units[end:]
    return units


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros."""
    buffer[:] = bytes(len(buffer))


def _put(units: bytearray, at: int, unit: int) -> int:
    units[at : at + 2] = (unit & 0xFF, unit >> 8)
    return at + 2


def _code_points(text: bytearray) -> Iterator[int]:
    """Decode UTF-8 (RFC 3629), in its only form. ValueError.

    An overlong form or a surrogate would be written as one value and signed in with
    as another.
    """
    at = 0
    while at < len(text):
        size, point = _begin(text[at])
        if at + size > len(text):
            raise ValueError("the text ends within a character")
        for byte in memoryview(text)[at + 1 : at + size]:
            if byte & 0xC0 != 0x80:
                raise ValueError("the text is not UTF-8")
            point = point << 6 | byte & 0x3F
        if point < _LEAST[size] or point > _LAST or point in _SURROGATES:
            raise ValueError("the text is not UTF-8")
        yield point
        at += size


def _begin(first: int) -> tuple[int, int]:
    """Return how many bytes a character has, and the bits its first byte holds."""
    if first < 0x80:
        return 1, first
    if first & 0xE0 == 0xC0:
        return 2, first & 0x1F
    if first & 0xF0 == 0xE0:
        return 3, first & 0x0F
    if first & 0xF8 == 0xF0:
        return 4, first & 0x07
    raise ValueError("the text is not UTF-8")


# --- BER ---------------------------------------------------------------------


def _message(
    message: int, operation: bytearray, controls: bytes | bytearray = b""
) -> bytearray:
    number = message.to_bytes(message.bit_length() // 8 + 1, "big")
    return _tlv(_SEQUENCE, _tlv(_INTEGER, number), operation, controls)


def _critical(control: str) -> bytearray:
    """Encode the controls of a message (RFC 4511, 4.1.11): this one, critical."""
    return _tlv(
        _CONTROLS,
        _tlv(
            _SEQUENCE,
            _tlv(_OCTETS, control.encode("ascii")),
            _tlv(_BOOLEAN, b"\xff"),
            _tlv(_OCTETS, _HINTS),
        ),
    )


def _replacing(attribute: bytes, value: bytearray) -> bytearray:
    return _tlv(
        _SEQUENCE,
        _tlv(_ENUMERATED, _REPLACE),
        _tlv(
            _SEQUENCE,
            _tlv(_OCTETS, attribute),
            _tlv(_SET, _tlv(_OCTETS, value)),
        ),
    )


def _tlv(tag: int, *parts: bytes | bytearray) -> bytearray:
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


def _length(content: int) -> bytes:
    if content < 0x80:
        return bytes((content,))
    digits = content.to_bytes((content.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits), *digits))
