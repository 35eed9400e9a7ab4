"""What F7 of a YubiKey tells about a PIN, a PUK or a key, as TLVs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cards import status, tlv
from kiosk.simulation.cards.framing import Status
from kiosk.simulation.cards.keys import identifier, public_value
from kiosk.simulation.cards.references import PIN, PUK

if TYPE_CHECKING:
    from kiosk.simulation.cards.piv import SimulatedPivCard

_ALGORITHM, _POLICY, _ORIGIN, _PUBLIC, _DEFAULT, _TRIES = 1, 2, 3, 4, 5, 6
_FINGERS_SET, _TEMPORARY_PIN = 7, 8
_FINGERS, _ADMIN, _KEY_9A, _KEY_9C, _KEY_9E = 0x96, 0x9B, 0x9A, 0x9C, 0x9E
_PIN_NEVER, _PIN_ONCE, _PIN_ALWAYS = 1, 2, 3
_TOUCH_NEVER, _TOUCH_ALWAYS, _TOUCH_CACHED = 1, 2, 3
_GENERATED, _IMPORTED = b"\x01", b"\x02"
_NO_KEY = b"\xff"


def metadata(card: SimulatedPivCard, reference: int) -> bytes:
    """Return the TLVs about a reference. Status 6A88 if there is none."""
    if reference == PIN or (reference == PUK and card.options.has_puk):
        parts = _counter(card, reference)
    elif reference == _ADMIN:
        parts = _admin(card)
    elif reference == _FINGERS and not card.options.has_puk:
        parts = {_FINGERS_SET: b"\0", _TRIES: b"\x03", _TEMPORARY_PIN: b"\0"}
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
        _ORIGIN: _IMPORTED if reference in card.imported else _GENERATED,
        _PUBLIC: public_value(key, card.options.exponent),
    }


def policies(card: SimulatedPivCard, reference: int) -> bytes:
    """Return when a key wants the PIN and a touch: two bytes."""
    pin, touch = card.policies.get(reference, (0, 0))
    pin = pin or _pin_policy(card, reference)
    return bytes((pin, touch or _touch_policy(card, reference)))


def wants_no_pin(card: SimulatedPivCard, reference: int) -> bool:
    """Say whether a key signs for everybody."""
    return policies(card, reference)[0] == _PIN_NEVER


def wants_pin_each_time(card: SimulatedPivCard, reference: int) -> bool:
    """Say whether a key wants VERIFY directly before each signature."""
    return policies(card, reference)[0] == _PIN_ALWAYS


def touch_lasts(card: SimulatedPivCard, reference: int) -> bool | None:
    """Say whether one touch will do for a while; None: none is wanted."""
    touch = policies(card, reference)[1]
    return None if touch == _TOUCH_NEVER else touch == _TOUCH_CACHED


def _touch_policy(card: SimulatedPivCard, reference: int) -> int:
    if not card.options.touch or reference != _KEY_9A:
        return _TOUCH_NEVER
    return _TOUCH_CACHED if card.options.touch_is_cached else _TOUCH_ALWAYS


def _pin_policy(card: SimulatedPivCard, reference: int) -> int:
    if reference == _KEY_9E:
        return _PIN_NEVER
    is_always = reference == _KEY_9C or card.options.pin_always
    return _PIN_ALWAYS if is_always else _PIN_ONCE
