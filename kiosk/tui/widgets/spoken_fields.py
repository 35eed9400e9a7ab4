"""What somebody reads out, typed: shown as it stands, in groups as it is spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from kiosk.faces.entering import PUNCTUATION
from kiosk.faces.typed import Repertoire
from kiosk.pin import challenges, codes
from kiosk.pin.alphabet import Alphabet
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_EMPTY = "_"


class SpokenField(SecretField):
    """Groups of characters, the missing ones as blanks to fill."""

    ALPHABET: ClassVar[Alphabet]
    LENGTH: ClassVar[int]
    GROUP: ClassVar[int]
    """Characters that are read out in one breath."""

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
            repertoire=Repertoire(self.ALPHABET),
            maximum=self.LENGTH,
            submitted=submitted,
            changed=changed,
            ignores=PUNCTUATION,
        )

    def characters(self) -> Iterable[str]:
        typed = self.typed
        for index in range(max(self.LENGTH, typed.keys)):
            if index and index % self.GROUP == 0:
                yield " "
            yield typed.shown(index) if index < typed.keys else _EMPTY


class CodeField(SpokenField):
    """A release or activation code: digits in groups of three."""

    ALPHABET = Alphabet.DIGITS
    LENGTH = codes.DIGITS
    GROUP = 3


class ResponseField(SpokenField):
    """The helpdesk's answer to a challenge.

    Digits in five groups of five, or sixteen hexadecimal digits as other programs
    answer. It opens one card once, while that card waits.
    """

    ALPHABET = Alphabet.PRINTABLE
    LENGTH = challenges.DIGITS
    GROUP = challenges.GROUP_DIGITS
