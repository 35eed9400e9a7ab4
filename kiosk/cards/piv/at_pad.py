"""PIN commands of PIV whose values are typed at the reader (SP 800-73-5 part 2, §3.2).

Each is sent at most once; what the pad and the card refuse is told apart.
"""

from __future__ import annotations

from kiosk.cards import status
from kiosk.cards.piv import refusals
from kiosk.cards.ports import NotSupported, PadCommand, Pinpad
from kiosk.secret import Secret

_PIN = 0x80
_BLOCK, _MINIMUM, _MAXIMUM = 8, 6, 8


def _command(ins: int) -> PadCommand:
    return PadCommand(
        header=bytes((0x00, ins, 0x00, _PIN)),
        block=_BLOCK,
        minimum=_MINIMUM,
        maximum=_MAXIMUM,
    )


def present(pad: Pinpad | None) -> Pinpad:
    """Return the pad. NotSupported if there is none."""
    if pad is None:
        raise NotSupported(what="PIN pad")
    return pad


def verify(pad: Pinpad) -> None:
    """VERIFY. WrongPin, PinBlocked, PadEntryFailed."""
    sw = pad.verify(_command(0x20))
    if sw != status.OK:
        raise refusals.of_pin(sw, 0x20)


def change(pad: Pinpad) -> None:
    """CHANGE REFERENCE DATA. WrongPin, PinBlocked, PinRefused, PadEntryFailed."""
    sw = pad.modify(_command(0x24))
    if sw != status.OK:
        raise refusals.of_pin(sw, 0x24)


def unblock(pad: Pinpad, puk: Secret | None) -> None:
    """RESET RETRY COUNTER. WrongPuk, PukBlocked, PinRefused, PadEntryFailed."""
    sw = pad.modify(_command(0x2C), asks_current=puk is None, known=puk)
    if sw != status.OK:
        raise refusals.of_puk(sw, 0x2C)
