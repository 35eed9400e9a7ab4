"""What a card or its reader may say instead: one error for each."""

from __future__ import annotations

from kiosk.core.errors import KioskError


class CardError(KioskError):
    """Root of what this room may raise."""

    code = "card.error"


class CardRemoved(CardError):
    """The card left, or was reset by somebody, in the middle: `reader`."""

    code = "card.removed"


class CardMute(CardError):
    """A card is there but does not answer: `reader`."""

    code = "card.mute"


class CardBusy(CardError):
    """Another program holds the card: `reader`."""

    code = "card.busy"


class ReaderGone(CardError):
    """The reader was unplugged: `reader`."""

    code = "card.reader_gone"


class ServiceGone(CardError):
    """The PC/SC service does not answer."""

    code = "card.service_gone"


class ModuleFailed(CardError):
    """The middleware crashed, hung or failed: `module`, `why`.

    What it has done to the card by then is not known.
    """

    code = "card.module_failed"


class ServiceDenied(ServiceGone):
    """The PC/SC service runs, and does not let this user use it (polkit)."""

    code = "card.service_denied"


class UnknownCard(CardError):
    """No card family we know answers on this card: `reader`."""

    code = "card.unknown"


class NotLent(UnknownCard):
    """Nothing we speak to ourselves, at a desk whose session is elsewhere: `reader`.

    Perhaps one for its vendor's middleware, which no bytes on a line reach.
    """

    code = "card.not_lent"


class WrongCard(CardError):
    """Another card than the one this visit began with."""

    code = "card.wrong_card"


class MalformedAnswer(CardError):
    """The card sent bytes that mean nothing: `object`, `offset`."""

    code = "card.malformed"


class UnexpectedStatus(CardError):
    """A status word this command should not give: `ins` and `sw` (hex)."""

    code = "card.unexpected_status"


class ObjectMissing(CardError):
    """The card has no such object or key: `object`."""

    code = "card.object_missing"


class NotSupported(CardError):
    """The card cannot do that: `what`."""

    code = "card.not_supported"


class PadRequired(CardError):
    """PINs are typed at readers' own keys here, and card or `reader` cannot do that."""

    code = "card.pad_required"


class ContactNeeded(NotSupported):
    """The card does that only in a contact reader: `what`."""

    code = "card.contact_needed"


class NotVerified(CardError):
    """The card wants the PIN (or a touch) first."""

    code = "card.not_verified"


class TouchMissed(NotVerified):
    """Nobody touched the card in time, twice. Cost no try."""

    code = "card.touch_missed"


def _told(tries_left: int) -> int | str:
    return tries_left if tries_left >= 0 else "unknown"


class WrongPin(CardError):
    """The PIN was wrong and cost a try: `tries_left` (-1: unknown)."""

    code = "card.wrong_pin"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=_told(tries_left))
        self.tries_left = tries_left


class PinBlocked(CardError):
    """The PIN counter is used up."""

    code = "card.pin_blocked"


class LastTryKept(PinBlocked):
    """One try is left, or the card allows only one: it was not spent."""

    code = "card.last_try_kept"


class WrongPuk(CardError):
    """The PUK was wrong and cost a try: `tries_left` (-1: unknown)."""

    code = "card.wrong_puk"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=_told(tries_left))
        self.tries_left = tries_left


class PukBlocked(CardError):
    """The PUK counter is used up: only a new card helps."""

    code = "card.puk_blocked"


class PinRefused(CardError):
    """The card does not take this value as PIN or PUK; nothing was changed."""

    code = "card.pin_refused"


class PukRefused(PinRefused):
    """The card does not take this value as its PUK; nothing was changed."""

    code = "card.puk_refused"


class PadEntryFailed(CardError):
    """Nothing was entered at the PIN pad that could be sent; nothing was changed."""

    code = "card.pad_failed"


class PadTimedOut(PadEntryFailed):
    """Nobody typed at the PIN pad in time."""

    code = "card.pad_timed_out"


class PadCancelled(PadEntryFailed):
    """The cancel key of the PIN pad was pressed."""

    code = "card.pad_cancelled"


class PadMismatch(PadEntryFailed):
    """The new PIN was repeated differently at the PIN pad."""

    code = "card.pad_mismatch"


class PadTooShort(PadEntryFailed):
    """What was typed at the PIN pad is too short, or too long, for a PIN."""

    code = "card.pad_too_short"


class PinTooSimple(PinRefused):
    """The card's own rules find this value too simple; nothing was changed."""

    code = "card.pin_too_simple"


class WrongManagementKey(CardError):
    """Card and caller do not hold the same management key; costs no try."""

    code = "card.wrong_management_key"


class WrongAdminKey(CardError):
    """The card does not take this answer of the administrator key; it may count."""

    code = "card.wrong_admin_key"


UNUSABLE = (ObjectMissing, NotSupported, NotVerified, UnexpectedStatus, MalformedAnswer)
"""What a card's answer to something optional may end in: it then counts as absent.

What happens to the line (a card that left, a service that stopped) is not among them.
"""
