"""Errors of the authority's port: sent as code and sentence, raised as themselves.

The code names the class, the sentence's data are the error's. A code that is not known
here comes from a newer authority: it keeps its name in `UnknownAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import msgspec

from kiosk.authority import errors as authority_errors
from kiosk.authority.errors import AuthorityError, NotUnderstood, Refused, UnknownAnswer
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.directory import errors as directory_errors
from kiosk.directory.errors import DirectoryError, WriteRefused
from kiosk.directory.values import WriteRefusal
from storage import errors as registry_errors
from storage.errors import RegistryError

PortError = AuthorityError | DirectoryError | RegistryError


class CarriedError(msgspec.Struct, frozen=True, kw_only=True):
    """An error on its way."""

    code: str
    message: Message


_Kind = Callable[..., KioskError | RegistryError]
_Root = type[AuthorityError] | type[DirectoryError] | type[RegistryError]


def _of(module: ModuleType, root: _Root) -> dict[str, _Kind]:
    named = vars(module).values()
    kinds = [it for it in named if isinstance(it, type) and issubclass(it, root)]
    return {it.code: it for it in kinds}


ERRORS: Mapping[str, _Kind] = {
    **_of(authority_errors, AuthorityError),
    **_of(directory_errors, DirectoryError),
    **_of(registry_errors, RegistryError),
}
"""Everything that the port says it may raise, by its code."""


def told(error: PortError) -> CarriedError:
    """Return an error as it is sent."""
    return CarriedError(code=error.code, message=said_of(error))


def rebuilt(told: CarriedError) -> KioskError | RegistryError:
    """Return the error that was sent. NotUnderstood: its data are not those of one."""
    message = told.message
    kind = ERRORS.get(told.code)
    if kind is Refused:
        return Refused(message)
    try:
        if kind is None:
            return UnknownAnswer(code=told.code)
        if kind is WriteRefused:
            data: dict[str, Any] = {**message.data}  # Any: its signature judges them
            return WriteRefused(WriteRefusal(data.pop("why")), **data)
        return kind(**message.data)
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood from None
