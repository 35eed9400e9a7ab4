"""An office whose every request and reply goes through bytes, as over a wire.

What a service carries by other means is handed on as it is, and named here: sessions,
the visit's port (which has a form in bytes of its own), streams and pages.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast, get_type_hints

from kiosk.authority.office.ports import (
    CardWork,
    Deciding,
    FleetKeeping,
    Looking,
    OfficeAuthority,
)
from kiosk.authority.office.ports import Office as OfficePort
from kiosk.authority.wire import codec
from kiosk.core.secret import Secret

HANDED_ON = {
    "export": "a stream",
    "credentials": "pages",
    "visit_port": "the visit's port",
}
"""Calls whose answer is no value."""


class _Kept:
    """`codec.Sealing` that keeps the secrets of one message aside."""

    def __init__(self) -> None:
        self._secrets: list[Secret] = []

    def seal(self, secret: Secret, place: int) -> str:
        assert place == len(self._secrets)
        self._secrets.append(secret.copy())
        return f"secret {place}"

    def open(self, sealed: str, place: int) -> Secret:
        assert sealed == f"secret {place}"
        return self._secrets[place]


def _carried(value: object, kind: Any) -> Any:
    """Return what the other side gets; nothing in between is a secret."""
    sealing = _Kept()
    raw = codec.encode(value, sealing)
    return codec.decode(raw, kind, sealing)


def carry_office(office: OfficePort) -> OfficePort:
    """Return the session as a station has it that is elsewhere."""
    return cast(OfficePort, _Office(office))


def carry_authority(authority: OfficeAuthority) -> OfficeAuthority:
    """Return the same of what a station asks before anybody is signed in."""
    return cast(OfficeAuthority, _Authority(authority))


class _Office:
    def __init__(self, office: OfficePort) -> None:
        self._inside = office

    @property
    def operator(self) -> object:
        return _carried(self._inside.operator, type(self._inside.operator))

    def still(self) -> None:
        self._inside.still()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in HANDED_ON:
            return cast(Callable[..., Any], getattr(self._inside, name))
        return partial(_call, CALLS[name], getattr(self._inside, name))


class _Authority:
    def __init__(self, authority: OfficeAuthority) -> None:
        self._inside = authority

    @property
    def rules(self) -> object:
        return _carried(self._inside.rules, type(self._inside.rules))

    def sign_in_challenge(self, *args: object) -> object:
        call = CALLS["sign_in_challenge"]
        return _call(call, self._inside.sign_in_challenge, *args)

    def sign_in_by_card(self, proof: Any) -> OfficePort:
        sent = _carried(proof, type(proof))
        return carry_office(self._inside.sign_in_by_card(sent))

    def sign_in_by_account(self, name: str, password: Secret) -> OfficePort:
        with _carried(password, Secret) as sent:
            return carry_office(self._inside.sign_in_by_account(name, sent))


def _call(
    port: Callable[..., Any], inside: Callable[..., Any], *args: object, **named: object
) -> Any:
    hints = get_type_hints(port)
    answer = hints.pop("return")
    asked = inspect.signature(port).bind(None, *args, **named).arguments
    sent = {
        name: _sent(name, value, hints[name])
        for name, value in asked.items()
        if name != "self"
    }
    return _carried(inside(**sent), answer)


def _sent(name: str, value: object, kind: Any) -> Any:
    if name == "told":  # how far it is goes back by itself
        return value
    return _session(value) if name == "second" else _carried(value, kind)


def _session(second: object) -> object:
    """Return whose session it is: over a wire, it has a name there."""
    return second._inside if isinstance(second, _Office) else second


def _calls(*ports: type) -> Mapping[str, Callable[..., Any]]:
    return {
        name: member
        for port in ports
        for name, member in vars(port).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


CALLS = _calls(Looking, Deciding, FleetKeeping, CardWork, OfficeAuthority)
