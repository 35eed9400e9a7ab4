"""Times and tenths in a sentence, in the form of its language: `{at:day}`, `:tenths`.

The catalogue writes them. A time is in seconds UTC, the zone is that of the machine
that says the sentence; what is written with a decimal sign is in tenths.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

_TENTHS = "tenths"
_FORMS = {
    **{each: f"tui.when.{each}" for each in ("day", "moment", "zoned", "minute")},
    _TENTHS: "tui.number.tenths",
}
"""Where the catalogue has each form."""


class SpokenNumber(int):
    """A whole number in a sentence that may be a time there, or tenths."""

    text_of: Callable[[str], str]
    """Returns what the sentence's language has under a key."""

    def __format__(self, spec: str) -> str:
        """Write it as `spec` says, where that is the name of a form."""
        if spec not in _FORMS:
            return super().__format__(spec)
        if spec == _TENTHS:
            whole, tenths = divmod(self, 10)
            return self.text_of(_FORMS[spec]).format(whole=whole, tenths=tenths)
        try:
            utc = datetime.datetime.fromtimestamp(self, datetime.UTC)
            local = utc.astimezone()
        except (OverflowError, ValueError, OSError):
            return str(int(self))  # no calendar has it: somebody else put it there
        return self.text_of(_FORMS[spec]).format(
            year=f"{local.year:04}",
            month=f"{local.month:02}",
            day=f"{local.day:02}",
            hour=f"{local.hour:02}",
            minute=f"{local.minute:02}",
            zone=local.tzname() or "UTC",
        )


def spoken(number: int, text_of: Callable[[str], str]) -> SpokenNumber:
    """Return `number` so that a sentence can write it as a time, or in tenths."""
    made = SpokenNumber(number)
    made.text_of = text_of
    return made
