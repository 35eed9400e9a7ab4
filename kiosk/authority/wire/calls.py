"""Every call of the authority's port as a message, read off the port itself.

A call that is added to the port has its form here at once: its arguments are the fields
of its request, by their names and types.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import msgspec

from kiosk.authority.ports import Authority
from kiosk.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the port."""

    name: str
    request: type[msgspec.Struct]
    """Strict: what a newer station asks for besides is not left out in silence."""
    answer: Any
    """A type as msgspec takes it."""
    hands_out: bool
    """It may have secrets in it."""

    def asked(self, arguments: Mapping[str, object]) -> msgspec.Struct:
        """Return the request of a call with these arguments."""
        return self.request(**arguments)

    def bound(
        self, args: tuple[object, ...], named: dict[str, object]
    ) -> msgspec.Struct:
        """Return the request of a call as it is written in Python."""
        by_place = zip(self.request.__struct_fields__, args, strict=False)
        return self.asked({**dict(by_place), **named})

    def carry_out(self, authority: Authority, request: msgspec.Struct) -> object:
        """Let the authority answer. What its call raises."""
        fields = request.__struct_fields__
        arguments = {name: getattr(request, name) for name in fields}
        return getattr(authority, self.name)(**arguments)


def _holds_secret(kind: Any) -> bool:
    """Say whether a value of that type may have a secret in it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(map(_holds_secret, get_type_hints(kind).values()))
    return kind is Secret or any(map(_holds_secret, get_args(kind)))


def _call(name: str) -> Call:
    hints = get_type_hints(getattr(Authority, name))
    answer = hints.pop("return")
    request = msgspec.defstruct(
        "".join(word.capitalize() for word in name.split("_")) + "Call",
        list(hints.items()),
        module=__name__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return Call(name, request, answer, _holds_secret(answer))


CALLS: Mapping[str, Call] = {
    name: _call(name)
    for name, member in vars(Authority).items()
    if inspect.isfunction(member) and not name.startswith("_")
}
