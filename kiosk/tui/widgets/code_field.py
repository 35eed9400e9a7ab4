"""A code that somebody reads out: shown as typed, in groups as it is spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.faces.entering import PUNCTUATION
from kiosk.faces.typed import Repertoire
from kiosk.pin.codes import DIGITS as CODE_DIGITS
from kiosk.pin.rules import Alphabet
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_GROUP = 3
_EMPTY = "_"


class CodeField(SecretField):
    """Digits in groups of three, the missing ones as blanks to fill."""

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
            repertoire=Repertoire(Alphabet.DIGITS),
            maximum=CODE_DIGITS,
            submitted=submitted,
            changed=changed,
            ignores=PUNCTUATION,
        )

    def characters(self) -> Iterable[str]:
        typed = self.typed
        for index in range(max(CODE_DIGITS, typed.keys)):
            if index and index % _GROUP == 0:
                yield " "
            yield typed.shown(index) if index < typed.keys else _EMPTY
