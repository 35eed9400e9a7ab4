"""A code that somebody reads out: shown as typed, in groups as it is spoken.

It is good once, for minutes, for one card only; typing it blindly would cost more
than reading it over a shoulder gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.pinrules import Alphabet
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

DIGITS = 9
"""How many a code has (`kiosk.authority.codes`); a test holds the two together."""
_GROUP = 3
_EMPTY = "_"


class CodeField(SecretField):
    """Digits in groups of three, the missing ones as blanks to fill."""

    def __init__(
        self, field: FieldName, label: str, *, submitted: Callable[[SecretField], None]
    ) -> None:
        super().__init__(
            field,
            label,
            alphabet=Alphabet.DIGITS,
            maximum=DIGITS,
            submitted=submitted,
        )

    @property
    def is_complete(self) -> bool:
        """Every digit is there."""
        return len(self) == DIGITS

    def characters(self) -> Iterable[str]:
        for index in range(DIGITS):
            if index and index % _GROUP == 0:
                yield " "
            yield chr(self._value[index]) if index < len(self._value) else _EMPTY
