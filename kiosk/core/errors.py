"""What every error of the kiosk is: a code and data. Its text is in the catalogue.

`code` is a key of `kiosk.texts` ("card.wrong_pin"); the public attributes of the
error are the data of that sentence. No error carries a secret. Errors of
`storage`, which does not import this package, have the same two properties.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import msgspec


class Message(msgspec.Struct, frozen=True):
    """A sentence to be: its key in the catalogue and the data it names."""

    key: str
    data: Mapping[str, str | int] = {}


@runtime_checkable
class Coded(Protocol):
    """An error that the catalogue can put into words."""

    code: ClassVar[str]

    @property
    def data(self) -> dict[str, str | int]:
        """The values that the sentence names."""


class KioskError(Exception):
    """Root of the errors that a face may show. Subclasses set `code`."""

    code: ClassVar[str] = "kiosk.unexpected"

    def __init__(self, **data: str | int) -> None:
        super().__init__(self.code, data)
        self._data = data

    @property
    def data(self) -> dict[str, str | int]:
        return self._data

    @property
    def message(self) -> Message:
        """The error as a sentence for a face, a report or the audit."""
        return Message(self.code, dict(self._data))

    def __str__(self) -> str:
        return f"{self.code} {self._data}" if self._data else self.code


class ReasonedRefusal(KioskError):
    """A refusal whose `reason` is a sentence of its own, and the one to show."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason=reason.key)
        self.reason = reason

    @property
    def message(self) -> Message:
        return self.reason


def message_of(error: BaseException) -> Message | None:
    """Return the sentence of an error; None: it has none, and is a bug."""
    if isinstance(error, KioskError):
        return error.message
    if isinstance(error, Coded):
        return Message(error.code, dict(error.data))
    return None


def said_of(error: BaseException) -> Message:
    """Return what to say of an error; an unknown one is not explained away."""
    return message_of(error) or Message(KioskError.code)


def reason_of(error: OSError) -> str:
    """Return what the system says is wrong, without the file that it is about."""
    return error.strerror or type(error).__name__


def frames(error: BaseException) -> str:
    """Return the type of an error nobody foresaw and where it came through.

    Values are left out, of variables and of the message too: `int("123456")` repeats
    what it was given.
    """
    places = " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    return f"type={type(error).__name__} at={places}"
