"""PIN commands of PIV whose values are typed at the reader (SP 800-73-5 part 2, §3.2).

Each is sent at most once; what the pad and the card refuse is told apart.
"""

from __future__ import annotations

from kiosk.cards import status
from kiosk.cards.errors import NotSupported
from kiosk.cards.piv.application import PIN, PivApplication
from kiosk.cards.ports import Pinpad
from kiosk.cards.values import PadCommand
from kiosk.core.secret import Secret

_BLOCK, _MINIMUM, _MAXIMUM = 8, 6, 8


def _command(ins: int, reference: int) -> PadCommand:
    return PadCommand(
        header=bytes((0x00, ins, 0x00, reference)),
        block=_BLOCK,
        minimum=_MINIMUM,
        maximum=_MAXIMUM,
    )


def _present(pad: Pinpad | None) -> Pinpad:
    """Return the pad. NotSupported if there is none."""
    if pad is None:
        raise NotSupported(what="PIN pad")
    return pad


def verify(application: PivApplication, pad: Pinpad | None) -> None:
    """VERIFY. WrongPin, PinBlocked, PadEntryFailed."""
    sw = _present(pad).verify(_command(0x20, application.pin_reference))
    if sw != status.OK:
        raise application.pin_refusal(sw, 0x20)


def change(application: PivApplication, pad: Pinpad | None) -> None:
    """CHANGE REFERENCE DATA. WrongPin, PinBlocked, PinRefused, PadEntryFailed."""
    application.must_be_own_pin()
    sw = _present(pad).modify(_command(0x24, PIN))
    if sw != status.OK:
        raise application.pin_refusal(sw, 0x24)


def unblock(
    application: PivApplication, pad: Pinpad | None, puk: Secret | None
) -> None:
    """RESET RETRY COUNTER. WrongPuk, PukBlocked, PinRefused, PadEntryFailed."""
    application.must_be_own_pin()
    command = _command(0x2C, PIN)
    sw = _present(pad).modify(command, asks_current=puk is None, known=puk)
    if sw != status.OK:
        raise application.puk_refusal(sw, 0x2C)
