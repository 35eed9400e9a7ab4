"""A code that somebody reads out: shown as typed, in groups as it is spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.faces.entering import CODE_DIGITS
from kiosk.pinrules import Alphabet
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

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
            maximum=CODE_DIGITS,
            submitted=submitted,
        )

    def characters(self) -> Iterable[str]:
        for index in range(CODE_DIGITS):
            if index and index % _GROUP == 0:
                yield " "
            yield chr(self._value[index]) if index < len(self._value) else _EMPTY
