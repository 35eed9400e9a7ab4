"""What of an APDU may be written down. Pure, and closed: the unknown is masked.

Tables name the commands of PIV (SP 800-73-5 part 2, YubiKey) and GIDS by what their
data may hold. Header and status word are always shown. The length of what compares a
PIN is hidden, too: where PINs are not padded it is the PIN's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kiosk.cards.piv import objects


class Showing(Enum):
    """How much of the data is shown."""

    BYTES = "bytes"
    LENGTH = "length"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Mask:
    """How much of a command's data and of its answer's is shown."""

    command: Showing
    answer: Showing


SHOWN = Mask(Showing.BYTES, Showing.BYTES)
COUNTED = Mask(Showing.LENGTH, Showing.LENGTH)
HIDDEN = Mask(Showing.NOTHING, Showing.LENGTH)
"""Also for whatever is unknown."""

_CHAINED = 0x10
_GET_RESPONSE = 0xC0
_WHOLE_CARD = 0x3FFF
_PUBLIC_OBJECTS = frozenset(
    {
        objects.CHUID,
        objects.CCC,
        *objects.CERTIFICATES.values(),
        objects.CERTIFICATE_9C,
        objects.CERTIFICATE_9D,
        objects.DISCOVERY,
        0x5FC106,  # security object
        0x5FC10C,  # key history
        *range(0x5FC10D, 0x5FC121),  # certificates of retired keys
        0x5FFF01,  # attestation certificate
        0x7F71,  # GIDS: tries of the PIN
        0x7F73,  # GIDS: tries of the PUK
    }
)
"""Objects that anybody may read. Whatever is not here may be behind the PIN."""
_PUBLIC_FILES = frozenset({0xA000, 0xA010, 0xA012})
"""GIDS: files that everyone may read."""
_SIGNING_KEYS = frozenset({0x9A, 0x9C, 0x9E})
_COMPUTE_SIGNATURE = 0x9E9A


ALWAYS: dict[int, Mask] = {
    0x20: HIDDEN,  # VERIFY
    0x22: SHOWN,  # MANAGE SECURITY ENVIRONMENT
    0x24: HIDDEN,  # CHANGE REFERENCE DATA
    0x2C: HIDDEN,  # RESET RETRY COUNTER
    0x47: SHOWN,  # GENERATE ASYMMETRIC KEY PAIR
    0xA4: SHOWN,  # SELECT
    0xF7: SHOWN,  # YubiKey: metadata
    0xF8: SHOWN,  # YubiKey: serial number
    0xF9: SHOWN,  # YubiKey: attestation
    0xFA: SHOWN,  # YubiKey: set tries (in P1 P2)
    0xFD: SHOWN,  # YubiKey: version
    0xFE: COUNTED,  # YubiKey: import a key
    0xFF: COUNTED,  # YubiKey: set the management key
}
"""Commands that are always judged alike."""

BY_REFERENCE: dict[int, Callable[[int], bool]] = {
    0x2A: lambda reference: reference == _COMPUTE_SIGNATURE,
    0x87: lambda reference: reference & 0xFF in _SIGNING_KEYS,
}
"""Commands shown for some P1 P2: signatures are public, all else proves a secret."""

BY_OBJECT = frozenset({0xCB, 0xDB})
"""GET DATA and PUT DATA, shown for public objects and files."""


def _judged(apdu: bytes | bytearray) -> Mask:
    ins, reference = apdu[1], apdu[2] << 8 | apdu[3]
    if data_size(apdu) is None:
        return HIDDEN
    if ins in BY_OBJECT:
        return SHOWN if _is_public(reference, apdu) else COUNTED
    if ins in BY_REFERENCE:
        return SHOWN if BY_REFERENCE[ins](reference) else COUNTED
    return ALWAYS.get(ins, HIDDEN)


def _is_public(reference: int, apdu: bytes | bytearray) -> bool:
    """Say whether anybody may read the object of this GET DATA or PUT DATA."""
    if reference in _PUBLIC_FILES:
        return True
    if reference != _WHOLE_CARD:
        return False
    return _tag(apdu) in _PUBLIC_OBJECTS or _is_key_question(apdu)


def _tag(apdu: bytes | bytearray) -> int | None:
    """Return the tag in the list of tags (5C) that the data begin with."""
    if len(apdu) < 8 or apdu[5] != 0x5C or apdu[6] > 3:
        return None
    return int.from_bytes(apdu[7 : 7 + apdu[6]], "big")


def _is_key_question(apdu: bytes | bytearray) -> bool:
    """Say whether this asks for a public key as GIDS does: 70 { 84, A5 { 7F49 } }."""
    begins, ends = apdu[4:9] == b"\x0a\x70\x08\x84\x01", apdu[10:15]
    return begins and ends == b"\xa5\x03\x7f\x49\x80"


class Masking:
    """Judges the commands of one connection in their order.

    Parts of a chain, and what GET RESPONSE fetches, are judged as what they belong to.
    """

    def __init__(self) -> None:
        self._last = HIDDEN
        self._chain = b""
        """INS P1 P2 of an unfinished chain."""

    def of(self, apdu: bytes | bytearray) -> Mask:
        """Return what may be shown of this command and its answer."""
        head = bytes(apdu[:4])
        if len(head) < 4 or head[0] & ~_CHAINED:
            self._last, self._chain = HIDDEN, b""
        elif head[1] == _GET_RESPONSE:
            return Mask(Showing.NOTHING, self._last.answer)
        else:
            if self._chain != head[1:]:
                self._last = _judged(apdu)
            self._chain = head[1:] if head[0] & _CHAINED else b""
        return self._last


def data_size(apdu: bytes | bytearray) -> int | None:
    """Return how many bytes of data a short command has; None: it is not one."""
    if len(apdu) <= 5:
        return 0
    count = apdu[4]
    return count if count and len(apdu) - 5 - count in (0, 1) else None
