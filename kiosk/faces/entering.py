"""What may be typed into each field of a form, and what is not right with it yet."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.challenges import DIGITS as RESPONSE_DIGITS
from kiosk.pin.challenges import heard
from kiosk.pin.codes import DIGITS as CODE_DIGITS
from kiosk.pin.codes import is_well_formed
from kiosk.visit.views import FieldName, Form

CODES = frozenset({FieldName.RELEASE_CODE, FieldName.ACTIVATION_CODE})
ON_CARD = frozenset({FieldName.OLD_PIN, FieldName.TRANSPORT_PIN, FieldName.CURRENT_PIN})
"""PINs that the card has now: their length is known, and each costs a try."""
READ_OUT = CODES | {FieldName.ADMIN_RESPONSE}
"""What somebody reads out to the person: good once, for minutes, for one card only.
It is shown as typed; typing it blindly would cost more than a look over a shoulder.
"""
PUNCTUATION = " -"
"""Between the groups of a number that is read out; it means nothing."""
_PUK_MAXIMUM = 16


def takes(form: Form, name: FieldName) -> tuple[Alphabet, int]:
    """Return which characters a field takes, and how many at most."""
    if name in CODES:
        return Alphabet.DIGITS, CODE_DIGITS
    if name is FieldName.ADMIN_RESPONSE:
        return Alphabet.PRINTABLE, RESPONSE_DIGITS
    if name is FieldName.NEW_PIN and form.rules is not None:
        return form.rules.alphabet, form.rules.maximum
    if name is FieldName.PUK:
        return Alphabet.PRINTABLE, _PUK_MAXIMUM
    return Alphabet.PRINTABLE, form.old_limits[1]


def wrong_with(form: Form, name: FieldName, typed: Secret) -> Message | None:
    """Say what keeps a field from being finished, the rules of a new PIN aside."""
    if name in CODES:
        if len(typed) != CODE_DIGITS:
            return Message("tui.form.code_incomplete")
        is_heard = is_well_formed(typed)
        return None if is_heard else Message("tui.form.code_misheard")
    if name is FieldName.ADMIN_RESPONSE:
        return None if _is_heard(typed) else Message("tui.form.response_misheard")
    if not len(typed):
        return Message("tui.form.incomplete")
    if name in ON_CARD and len(typed) < form.old_limits[0]:
        return Message("tui.form.too_short", {"minimum": form.old_limits[0]})
    return None


def _is_heard(typed: Secret) -> bool:
    """It was heard and typed right, by its check digits."""
    block = heard(typed)
    if block is None:
        return False
    block[:] = bytes(len(block))
    return True
