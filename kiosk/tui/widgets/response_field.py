"""The answer that the helpdesk reads out, in groups as it is spoken.

Digits in five groups of five, or sixteen hexadecimal digits as other programs answer.
It opens one card once, while that card waits: it is shown as typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.pinrules import Alphabet
from kiosk.telephone import DIGITS, GROUP_DIGITS
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_EMPTY = "_"


class ResponseField(SecretField):
    """Groups of five, the missing digits as blanks to fill."""

    def __init__(
        self, field: FieldName, label: str, *, submitted: Callable[[SecretField], None]
    ) -> None:
        super().__init__(
            field,
            label,
            alphabet=Alphabet.PRINTABLE,
            maximum=DIGITS,
            submitted=submitted,
        )

    def characters(self) -> Iterable[str]:
        for index in range(DIGITS):
            if index and index % GROUP_DIGITS == 0:
                yield " "
            yield chr(self._value[index]) if index < len(self._value) else _EMPTY
