"""The LDAP requests that prove or set a secret, encoded here and wiped after sending.

ldap3 would keep them in `connection.request`, as immutable bytes, and write them into
its log. BER of RFC 4511: a simple or SASL bind (4.2) and a modify (4.6).
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.secret import Secret
from kiosk.directory.ldap import ber
from kiosk.directory.ldap.ber import (
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    OCTETS,
    SEQUENCE,
    SET,
    tlv,
)

_BIND, _SIMPLE, _SASL, _MODIFY = 0x60, 0x80, 0xA3, 0x66
_CONTROLS = 0xA0
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
    return ber.message(
        message,
        tlv(
            _BIND,
            tlv(INTEGER, _VERSION),
            tlv(OCTETS, name.encode()),
            tlv(_SIMPLE, bytearray(password.reveal())),
        ),
    )


def negotiate(message: int, mechanism: str, token: bytes) -> bytearray:
    """Encode one step of a SASL bind, as whoever the token says."""
    return ber.message(
        message,
        tlv(
            _BIND,
            tlv(INTEGER, _VERSION),
            tlv(OCTETS, b""),
            tlv(_SASL, tlv(OCTETS, mechanism.encode()), tlv(OCTETS, token)),
        ),
    )


def reset(message: int, dn: str, password: Secret, control: str = "") -> bytearray:
    """Encode one modify that replaces `unicodePwd` and clears `lockoutTime`.

    `password` is UTF-8 text; the caller wipes what is returned. `control` is the OID
    of a policy hints control, to be obeyed or else the request refused. ValueError if
    the password is no UTF-8.
    """
    return ber.message(
        message,
        tlv(
            _MODIFY,
            tlv(OCTETS, dn.encode()),
            tlv(
                SEQUENCE,
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


def is_utf8(text: bytearray) -> bool:
    """Say whether a secret is UTF-8 in its only form. Makes no `str`."""
    try:
        for _ in _code_points(text):
            pass
    except ValueError:
        return False
    return True


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


# --- parts -------------------------------------------------------------------


def _critical(control: str) -> bytearray:
    """Encode the controls of a message (RFC 4511, 4.1.11): this one, critical."""
    return tlv(
        _CONTROLS,
        tlv(
            SEQUENCE,
            tlv(OCTETS, control.encode("ascii")),
            tlv(BOOLEAN, b"\xff"),
            tlv(OCTETS, _HINTS),
        ),
    )


def _replacing(attribute: bytes, value: bytearray) -> bytearray:
    return tlv(
        SEQUENCE,
        tlv(ENUMERATED, _REPLACE),
        tlv(SEQUENCE, tlv(OCTETS, attribute), tlv(SET, tlv(OCTETS, value))),
    )
