"""Sessions with a token, what a module refuses in them, and PINs as it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import pkcs11
from pkcs11 import Attribute, TokenFlag
from pkcs11 import exceptions as refused

from kiosk.cards.pkcs11.unblocking import Unblocking

GONE = (
    refused.TokenNotPresent,
    refused.DeviceRemoved,
    refused.SessionHandleInvalid,
    refused.SessionClosed,
    refused.SlotIDInvalid,
    refused.TokenNotRecognised,
)
"""The card has left, whichever call noticed it."""
UNFIT = (refused.PinInvalid, refused.PinLenRange, refused.PinTooWeak)
CANNOT = (
    refused.FunctionNotSupported,
    refused.MechanismInvalid,
    refused.TemplateInconsistent,
    refused.AttributeTypeInvalid,
    refused.AttributeValueInvalid,
    refused.SessionReadOnly,
    refused.TokenWriteProtected,
)
"""The module, or the token, does not make or write that."""
_HIDDEN = (refused.AttributeTypeInvalid, refused.AttributeSensitive)
SigningKey = pkcs11.SignMixin
Refused = refused.PKCS11Error


_SLOT_NAME_BYTES = 64
"""Of a slot's description (CK_SLOT_INFO): longer names of readers are cut."""


class Failure(Exception):
    """A refusal that has a meaning: `why` is one of `card.ERRORS`."""

    def __init__(self, why: str, *, tries: int = -1, detail: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.tries = tries
        self.detail = detail


class TokenPin:
    """A PIN as `pkcs11` takes it: anything that can be encoded."""

    def __init__(self, value: bytearray) -> None:
        self._value = value

    def encode(self, encoding: str) -> bytes:  # noqa: ARG002 - it is bytes already
        return bytes(self._value)


def slot_name_of(reader: str) -> str:
    """Return how the description of a reader's slots begins."""
    return reader.encode()[:_SLOT_NAME_BYTES].decode(errors="ignore").rstrip()


def must_be_one_card(reader: str, tokens: Iterable[pkcs11.Token]) -> None:
    """Failure where tokens are of several cards: their readers' names are cut alike.

    A card with two PINs has two tokens, and one serial number.
    """
    is_cut = len(reader.encode()) > _SLOT_NAME_BYTES
    if is_cut and len({(each.manufacturer_id, each.serial) for each in tokens}) > 1:
        raise Failure("broken", detail="two readers are called alike")


def tries_told(token: pkcs11.Token) -> int:
    """Read what the flags tell; -1: nothing (some may be lost already)."""
    if TokenFlag.USER_PIN_LOCKED in token.flags:
        return 0
    return 1 if TokenFlag.USER_PIN_FINAL_TRY in token.flags else -1


def puk_tries_told(token: pkcs11.Token, unblocking: Unblocking) -> int:
    """Read the same of what unblocks: tokens tell it of the security officer's PIN."""
    if unblocking is not Unblocking.INIT_PIN:
        return -1
    if TokenFlag.SO_PIN_LOCKED in token.flags:
        return 0
    return 1 if TokenFlag.SO_PIN_FINAL_TRY in token.flags else -1


@contextmanager
def opened(token: pkcs11.Token) -> Iterator[pkcs11.Session]:
    """A session in which nobody is logged in."""
    session = token.open(rw=True)
    try:
        yield session
    finally:
        with suppress(Refused):  # what it failed with is told already
            session.close()


def set_pin(token: pkcs11.Token, old: bytearray, new: bytearray) -> None:
    """C_SetPIN in a session of its own. Errors of `pkcs11`."""
    with opened(token) as session:
        session.set_pin(TokenPin(old), TokenPin(new))  # type: ignore[arg-type]  # whatever can be encoded


def belongs(key: SigningKey, spki: bytes) -> bool:
    """Say whether a key's public half is this one, as far as a token tells."""
    modulus = attribute_of(key, Attribute.MODULUS)
    if isinstance(modulus, bytes) and modulus:
        return modulus.lstrip(b"\0") in spki
    point = attribute_of(key, Attribute.EC_POINT)
    if isinstance(point, bytes) and point:
        return spki.endswith((point[2:], point))
    return True


def attribute_of(key: SigningKey, attribute: Attribute) -> object:
    """Read an attribute; None: the token does not tell it."""
    try:
        return key[attribute]
    except _HIDDEN:
        return None


def name_of(mechanism: object) -> str:
    """Return a mechanism by name; empty: the library knows none."""
    return getattr(mechanism, "name", "")
