"""The answer that the helpdesk reads out, in groups as it is spoken.

Digits in five groups of five, or sixteen hexadecimal digits as other programs answer.
It opens one card once, while that card waits: it is shown as typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.faces.entering import PUNCTUATION
from kiosk.faces.typed import Repertoire
from kiosk.pin.challenges import DIGITS, GROUP_DIGITS
from kiosk.pin.rules import Alphabet
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_EMPTY = "_"


class ResponseField(SecretField):
    """Groups of five, the missing digits as blanks to fill."""

    def __init__(
        self,
        field: FieldName,
        label: str,
        *,
        submitted: Callable[[TypedField], None],
        changed: Callable[[TypedField], None],
    ) -> None:
        super().__init__(
            field,
            label,
            repertoire=Repertoire(Alphabet.PRINTABLE),
            maximum=DIGITS,
            submitted=submitted,
            changed=changed,
            ignores=PUNCTUATION,
        )

    def characters(self) -> Iterable[str]:
        typed = self.typed
        for index in range(max(DIGITS, typed.keys)):
            if index and index % GROUP_DIGITS == 0:
                yield " "
            yield typed.shown(index) if index < typed.keys else _EMPTY
