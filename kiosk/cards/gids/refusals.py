"""What a refusing status word of a GIDS card means, as one of the errors of `ports`."""

from __future__ import annotations

from kiosk.cards import status
from kiosk.cards.apdu import Response
from kiosk.cards.errors import (
    CardError,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PukBlocked,
    UnexpectedStatus,
    WrongPin,
    WrongPuk,
)

_REFUSED_VALUE = frozenset({status.WRONG_DATA, status.WRONG_LENGTH, status.CONDITIONS})


def must_be_ok(response: Response, ins: int) -> Response:
    """Return the response. UnexpectedStatus unless it is 9000."""
    if not response.is_ok:
        raise other(response.sw, ins)
    return response


def other(sw: int, ins: int) -> CardError:
    """Return what any command may answer."""
    if sw in status.INCAPABLE:
        return NotSupported(what=f"{ins:02X}")
    if sw == status.NOT_SATISFIED:
        return NotVerified()
    return UnexpectedStatus(ins=f"{ins:02X}", sw=f"{sw:04X}")


def of_value(sw: int, ins: int) -> CardError:
    """Return what is wrong with a new value."""
    return PinRefused() if sw in _REFUSED_VALUE else other(sw, ins)


def of_pin(sw: int, ins: int) -> CardError:
    """Return what a command that compares the PIN answered. 63C0 means blocked."""
    left = status.tries_of(sw)
    if left == 0:
        return PinBlocked()
    if left is not None or sw == status.WRONG_UNCOUNTED:
        return WrongPin(-1 if left is None else left)
    return of_value(sw, ins)


def of_puk(sw: int, ins: int) -> CardError:
    """Return what a command that compares the PUK answered."""
    left = status.tries_of(sw)
    if left == 0:
        return PukBlocked()
    if left is not None or sw == status.WRONG_UNCOUNTED:
        return WrongPuk(-1 if left is None else left)
    return of_value(sw, ins)


def of_object(sw: int, name: str) -> CardError:
    """Return what GET DATA answered."""
    return ObjectMissing(object=name) if sw in status.ABSENT else other(sw, 0xCB)


def of_key(sw: int, name: str) -> CardError:
    """Return what choosing or using a key answered."""
    return ObjectMissing(object=name) if sw in status.ABSENT else other(sw, 0x2A)
