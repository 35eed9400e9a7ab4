"""Times in a sentence, in the form of its language: `{at:day}`.

The catalogue writes them (`tui.when`); the value is in seconds UTC, the zone is that of
the machine that says the sentence.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

_FORMS = frozenset({"day", "moment", "zoned", "minute"})


class SpokenNumber(int):
    """A whole number in a sentence that may be a time there."""

    form_of: Callable[[str], str]
    """Returns how the sentence's language writes a form."""

    def __format__(self, spec: str) -> str:
        """Write it as a time where `spec` is the name of a form."""
        if spec not in _FORMS:
            return super().__format__(spec)
        try:
            utc = datetime.datetime.fromtimestamp(self, datetime.UTC)
            local = utc.astimezone()
        except (OverflowError, ValueError, OSError):
            return str(int(self))  # no calendar has it: somebody else put it there
        return self.form_of(spec).format(
            year=f"{local.year:04}",
            month=f"{local.month:02}",
            day=f"{local.day:02}",
            hour=f"{local.hour:02}",
            minute=f"{local.minute:02}",
            zone=local.tzname() or "UTC",
        )


def spoken(number: int, form_of: Callable[[str], str]) -> SpokenNumber:
    """Return `number` so that a sentence can write it as a time."""
    made = SpokenNumber(number)
    made.form_of = form_of
    return made
