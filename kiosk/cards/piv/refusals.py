"""What a refusing status word means, as one of the errors of `ports`.

Exhaustive: what has no meaning here becomes an UnexpectedStatus.
"""

from __future__ import annotations

from kiosk.cards import status
from kiosk.cards.apdu import Response
from kiosk.cards.errors import (
    CardError,
    ContactNeeded,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PinTooSimple,
    PukBlocked,
    UnexpectedStatus,
    WrongPin,
    WrongPuk,
)

_REFUSED_VALUE = frozenset({status.WRONG_DATA, status.WRONG_LENGTH, status.CONDITIONS})
"""Malformed, too long, or against a rule of the card's own."""
_SETS_VALUE = frozenset({0x24, 0x2C})
"""CHANGE REFERENCE DATA and RESET RETRY COUNTER."""
_NO_KEY = status.ABSENT | {status.WRONG_DATA, status.WRONG_P1P2}


def must_be_ok(response: Response, ins: int) -> Response:
    """Return the response. UnexpectedStatus unless it is 9000."""
    if not response.is_ok:
        raise other(response.sw, ins)
    return response


def other(sw: int, ins: int) -> CardError:
    """Return what any command may answer."""
    if sw == status.UNSUPPORTED:
        return ContactNeeded(what=f"{ins:02X}")
    if sw in status.INCAPABLE:
        return NotSupported(what=f"{ins:02X}")
    if sw == status.NOT_SATISFIED:
        return NotVerified()
    return UnexpectedStatus(ins=f"{ins:02X}", sw=f"{sw:04X}")


def of_pin(sw: int, ins: int) -> CardError:
    """Return what a command that compares the PIN answered. 63C0 means blocked."""
    left = status.tries_of(sw)
    if left == 0:
        return PinBlocked()
    if left is not None or sw == status.WRONG_UNCOUNTED:
        return WrongPin(-1 if left is None else left)
    return _of_value(sw, ins)


def of_puk(sw: int, ins: int) -> CardError:
    """Return what a command that compares the PUK answered."""
    left = status.tries_of(sw)
    if left == 0:
        return PukBlocked()
    if left is not None or sw == status.WRONG_UNCOUNTED:
        return WrongPuk(-1 if left is None else left)
    return _of_value(sw, ins)


def _of_value(sw: int, ins: int) -> CardError:
    """Return what is wrong with the values themselves, or with where they came from.

    A PIN command needs nothing but contact, so "not satisfied" means that (part 1,
    table 4). 6985 is a YubiKey's complexity rule where a new value is set.
    """
    if sw == status.CONDITIONS and ins in _SETS_VALUE:
        return PinTooSimple()
    if sw == status.NOT_SATISFIED:
        return ContactNeeded(what=f"{ins:02X}")
    return PinRefused() if sw in _REFUSED_VALUE else other(sw, ins)


def of_object(sw: int, name: str) -> CardError:
    """Return what GET DATA answered for an object that contact alone opens."""
    if sw == status.NOT_SATISFIED:
        return ContactNeeded(what=name)
    return ObjectMissing(object=name) if sw in status.ABSENT else other(sw, 0xCB)


def of_key(sw: int, name: str) -> CardError:
    """Return what GENERAL AUTHENTICATE with a signature key answered."""
    return ObjectMissing(object=name) if sw in _NO_KEY else other(sw, 0x87)
