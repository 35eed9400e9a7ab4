"""What a YubiKey tells about its PIN and PUK, without a try (INS F7, from 5.3)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.values import Tries

_ALGORITHM, _IS_DEFAULT, _TRIES = 0x01, 0x05, 0x06


@dataclass(frozen=True, slots=True)
class PinMetadata:
    """The counter of a PIN or PUK, and whether it still has its factory value."""

    tries: Tries
    is_default: bool


def read_pin_metadata(value: bytes) -> PinMetadata:
    """Read the answer for reference 80 or 81. MalformedAnswer."""
    name = "PIN metadata"
    tries = tlv.need(value, _TRIES, name)
    if len(tries) != 2:
        raise MalformedAnswer(object=name, offset=0)
    total, left = tries
    return PinMetadata(Tries(left, total), tlv.need(value, _IS_DEFAULT, name) != b"\0")


def read_algorithm(value: bytes) -> int:
    """Read the algorithm identifier out of the answer for a key. MalformedAnswer."""
    algorithm = tlv.need(value, _ALGORITHM, "key metadata")
    if len(algorithm) != 1:
        raise MalformedAnswer(object="key metadata", offset=0)
    return algorithm[0]
