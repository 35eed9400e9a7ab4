"""What F7 of a YubiKey tells about a PIN, a PUK or a key, as TLVs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cards import status, tlv
from kiosk.cards.simulated.keys import identifier, public_value
from kiosk.cards.simulated.references import PIN, PUK
from kiosk.cards.simulated.status import Status

if TYPE_CHECKING:
    from kiosk.cards.simulated.piv import SimulatedPivCard

_ALGORITHM, _POLICY, _ORIGIN, _PUBLIC, _DEFAULT, _TRIES = 1, 2, 3, 4, 5, 6
_ADMIN, _KEY_9A, _KEY_9C, _KEY_9E = 0x9B, 0x9A, 0x9C, 0x9E
_PIN_NEVER, _PIN_ONCE, _PIN_ALWAYS = 1, 2, 3
_TOUCH_NEVER, _TOUCH_ALWAYS = 1, 2
_GENERATED = b"\x01"
_NO_KEY = b"\xff"


def metadata(card: SimulatedPivCard, reference: int) -> bytes:
    """Return the TLVs about a reference. Status 6A88 if there is none."""
    if reference == PIN or (reference == PUK and card.options.has_puk):
        parts = _counter(card, reference)
    elif reference == _ADMIN:
        parts = _admin(card)
    else:
        parts = _key(card, reference)
    return b"".join(tlv.pack(tag, value) for tag, value in parts.items())


def _counter(card: SimulatedPivCard, reference: int) -> dict[int, bytes]:
    references = card.references
    counter = references.pin if reference == PIN else references.puk
    return {
        _ALGORITHM: _NO_KEY,
        _DEFAULT: bytes((counter.is_default,)),
        _TRIES: bytes((counter.total, counter.left)),
    }


def _admin(card: SimulatedPivCard) -> dict[int, bytes]:
    return {
        _ALGORITHM: bytes((card.admin.algorithm,)),
        _POLICY: bytes((0, _TOUCH_NEVER)),
        _DEFAULT: bytes((card.admin.is_default,)),
    }


def _key(card: SimulatedPivCard, reference: int) -> dict[int, bytes]:
    key = card.keys.get(reference)
    if key is None:
        raise Status(status.NO_REFERENCE)
    return {
        _ALGORITHM: bytes((identifier(key),)),
        _POLICY: policies(card, reference),
        _ORIGIN: _GENERATED,
        _PUBLIC: public_value(key, card.options.exponent),
    }


def policies(card: SimulatedPivCard, reference: int) -> bytes:
    """Return when a key wants the PIN and a touch: two bytes."""
    is_touched = card.options.touch and reference == _KEY_9A
    touch = _TOUCH_ALWAYS if is_touched else _TOUCH_NEVER
    return bytes((_pin_policy(card, reference), touch))


def _pin_policy(card: SimulatedPivCard, reference: int) -> int:
    if reference == _KEY_9E:
        return _PIN_NEVER
    is_always = reference == _KEY_9C or card.options.pin_always
    return _PIN_ALWAYS if is_always else _PIN_ONCE
