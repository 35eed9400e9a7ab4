"""A station that never hears a first answer, and asks again with the same key."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import msgspec

from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.ports import Authority
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import WriteVerdict, wipe
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from storage.errors import RegistryError
from storage.registry import Registry
from storage.view import View

Open = Callable[[], Registry]
Came = tuple[object, Exception | None]
Again = Callable[[RequiredPorts, Open, Callable[[RequiredPorts], Came]], Came]

JUDGED_ANEW = ("health", "open", "outcome", "prove_presence")
"""What says how things stand now, each time it is asked."""


def at_once(
    parts: RequiredPorts, _: Open, ask: Callable[[RequiredPorts], Came]
) -> Came:
    """Ask the same authority again."""
    return ask(parts)


def restarted(
    parts: RequiredPorts, open: Open, ask: Callable[[RequiredPorts], Came]
) -> Came:
    """Ask one that has started anew: it knows what the registry knows."""
    registry = open()
    try:
        return ask(
            replace(
                parts,
                registry=registry,
                sealing=SealingKey(),
                fences=Deadlines(),
            )
        )
    finally:
        if registry is not parts.registry:
            registry.close()


def on_another_thread(
    parts: RequiredPorts, open: Open, ask: Callable[[RequiredPorts], Came]
) -> Came:
    """Ask another thread of the same authority, with a registry of its own."""
    came: list[Came] = []

    def go() -> None:
        registry = open()
        try:
            came.append(ask(replace(parts, registry=registry)))
        finally:
            if registry is not parts.registry:
                registry.close()

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    return came[0]


AGAIN: dict[str, Again] = {
    "at once": at_once,
    "restarted": restarted,
    "on another thread": on_another_thread,
}


def came_of(
    authority: LocalAuthority, name: str, args: tuple[object, ...], named: Any
) -> Came:
    """Return the answer of a call, or its error."""
    try:
        return getattr(authority, name)(*args, **named), None
    except (KioskError, RegistryError) as error:
        return None, error


class Twice:
    """`ports.Authority`: each call is made twice, and the second answer is given."""

    def __init__(
        self, parts: RequiredPorts, station: str, again: Again, open: Open
    ) -> None:
        self._parts, self._station = parts, station
        self._again, self._open = again, open
        self._name = parts.entropy.bytes(8).hex()
        self._numbers = itertools.count()

    def __getattr__(self, name: str) -> Any:
        def call(*args: object, **named: object) -> object:
            key = f"{self._name}-{next(self._numbers)}"

            def ask(parts: RequiredPorts) -> Came:
                port = LocalAuthority(parts, self._station, key)
                return came_of(port, name, args, named)

            first = ask(self._parts)
            answer, error = self._again(self._parts, self._open, ask)
            if name not in JUDGED_ANEW:
                must_be_same(name, first, (answer, error))
            wipe(first[0])
            return given((answer, error))

        return call


class Overtaken(Twice):
    """`ports.Authority`: each call has looked for an answer, and found none, when the
    same call is made and answered elsewhere. Then it goes on.
    """

    def __getattr__(self, name: str) -> Any:
        def call(*args: object, **named: object) -> object:
            key = f"{self._name}-{next(self._numbers)}"

            def ask(parts: RequiredPorts) -> Came:
                port = LocalAuthority(parts, self._station, key)
                return came_of(port, name, args, named)

            if name in JUDGED_ANEW:
                return given(ask(self._parts))
            overtaking: list[Came] = []
            slow = AfterOneLook(
                self._parts.registry, lambda: overtaking.append(ask(self._parts))
            )
            came = ask(replace(self._parts, registry=cast("Registry", slow)))
            must_be_same(name, overtaking[0], came)
            wipe(overtaking[0][0])
            return given(came)

        return call


class AfterOneLook:
    """A registry where something happens once its first `read` has ended."""

    def __init__(self, inner: Registry, happens: Callable[[], None]) -> None:
        self._inner = inner
        self._happens: Callable[[], None] | None = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def read(self, fn: Callable[[View], object]) -> object:
        found = self._inner.read(fn)
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return found


def given(came: Came) -> object:
    """Return the answer, or raise its error."""
    answer, error = came
    if error is not None:
        raise error
    return answer


def must_be_same(name: str, first: Came, second: Came) -> None:
    """The same answer, or the same error with the same sentence."""
    answers = [_comparable(first[0]), _comparable(second[0])]
    assert answers[0] == answers[1], name
    was, error = first[1], second[1]
    assert type(was) is type(error), name
    if was is not None and error is not None:
        assert vars(was) == vars(error), name


def _comparable(answer: object) -> object:
    """How far a write has spread is asked when all is committed, and only said."""
    if isinstance(answer, WriteVerdict):
        kept = [it for it in answer.warnings if "spread" not in it.key]
        return msgspec.structs.replace(answer, warnings=tuple(kept))
    return answer


def reaching(again: Again, open: Open) -> Callable[[RequiredPorts, str], Authority]:
    """Return how a world's stations reach their authority."""

    def reach(parts: RequiredPorts, station: str) -> Authority:
        return cast("Authority", Twice(parts, station, again, open))

    return reach


def overtaken(parts: RequiredPorts, station: str) -> Authority:
    """Return the port whose every call is overtaken by itself."""
    port = Overtaken(parts, station, at_once, lambda: parts.registry)
    return cast("Authority", port)


def plain_secrets(history: Any) -> list[bytes]:
    """Return what must be nowhere bare: of a `History`."""
    puk: Secret = history.puk
    return [bytes(puk.reveal())]
