"""Points at which something may happen: around each APDU, call, commit and message.

`Points` numbers them from when a history is armed. At those that a plan names, its act
happens: it may return, raise what the caller of that point would see, or let the
process die. While an act is carried out, no point counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

from kiosk.authority.ports import Authority
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.directory.ports import Directory, DomainController
from kiosk.simulation.cards.faults import FaultHand, Faults
from storage.errors import RegistryError
from storage.registry import Registry, Tx
from storage.view import View

T = TypeVar("T")
APDU, CALL, COMMIT, MESSAGE = "apdu", "directory", "commit", "message"
LINE = "line"
BEFORE, AFTER = "before", "after"
_NOTED = frozenset({"authorise", "set_password"})


class Lost(Exception):
    """What was on the line, or its answer, does not arrive."""


@dataclass(frozen=True, slots=True)
class Done:
    """Something that counts was really carried out."""

    name: str
    at: float
    """On the clock that nobody sets."""
    whose: str
    """The operation that was authorised, or the account whose password was set."""
    value: bytes = b""


class Point(NamedTuple):
    """One moment of a history."""

    number: int
    kind: str
    name: str
    moment: str

    def __str__(self) -> str:
        return f"{self.moment} {self.kind} {self.name} (#{self.number})"


Act = Callable[[Point], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to the authority: the call, and what was given with it."""

    name: str
    given: tuple[Any, ...]
    named: Mapping[str, Any]

    def again(self, authority: Authority) -> None:
        """Send it once more, whatever comes of it."""
        given = [_copied(each) for each in self.given]
        named = {name: _copied(each) for name, each in self.named.items()}
        with suppress(KioskError, RegistryError):
            getattr(authority, self.name)(*given, **named)


def _copied(given: Any) -> Any:
    """What is wiped by who sent it, whoever listens still has."""
    return given.copy() if isinstance(given, Secret) else given


@dataclass(slots=True)
class Points:
    """Numbers the points of a history, and lets the plan's acts happen."""

    plan: Mapping[int, tuple[str, Act]] = field(default_factory=dict)
    seen: list[Point] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    turn: Callable[[], None] = lambda: None
    """Who else is about may go on here first."""
    heard: list[Heard] = field(default_factory=list)
    """Every message to the authority, as somebody on the line would keep it."""
    armed: bool = False
    now: Callable[[], float] = float
    """The clock that nobody sets."""

    def arm(self, plan: Mapping[int, tuple[str, Act]]) -> None:
        """Count from here; `plan` says what happens where."""
        self.plan, self.seen, self.armed = plan, [], True

    def at(self, kind: str, name: str, moment: str) -> None:
        """Let happen what is planned for this point."""
        if not self.armed:
            return
        self.turn()
        number = len(self.seen)
        point = Point(number, kind, name, moment)
        self.seen.append(point)
        if number in self.plan:
            what, act = self.plan[number]
            self.story.append(f"{point}: {what}")
            with self.quiet():
                act(point)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Let nothing count meanwhile."""
        was, self.armed = self.armed, False
        try:
            yield
        finally:
            self.armed = was


class PointedFaults(Faults):
    """The points around each APDU, in place of a reader's faults."""

    def __init__(self, clock: Any, points: Points) -> None:
        super().__init__(clock)
        self._points = points
        self.compared: list[bytes] = []
        """Every command that presented a value."""

    def transmit(
        self,
        apdu: bytearray,
        card: Callable[[bytearray], bytearray],
        hand: FaultHand,
    ) -> bytearray:
        name = f"{apdu[1]:02X}"
        if apdu[1] in (0x20, 0x24, 0x2C) and len(apdu) > 5:
            self.compared.append(bytes(apdu))
        self._points.at(APDU, name, BEFORE)
        answer = super().transmit(apdu, card, hand)
        self._points.at(APDU, name, AFTER)
        return answer


class PointedRegistry:
    """A registry with points around each commit."""

    def __init__(self, registry: Registry, points: Points) -> None:
        self._registry = registry
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def read(self, fn: Callable[[View], T]) -> T:
        self._points.at(COMMIT, "read", BEFORE)
        return self._registry.read(fn)

    def run(self, fn: Callable[[Tx], T]) -> T:
        self._points.at(COMMIT, "", BEFORE)
        result = self._registry.run(fn)
        self._points.at(COMMIT, "", AFTER)
        return result


class PointedDirectory:
    """A domain with points around each call of one of its controllers."""

    def __init__(self, directory: Directory, points: Points) -> None:
        self._directory = directory
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[DomainController]:
        self._points.at(CALL, "connect", BEFORE)
        with self._directory.connect(dc) as real:
            yield cast("DomainController", _Calls(real, self._points))


class _Calls:
    def __init__(self, inner: object, points: Points, kind: str = CALL) -> None:
        self._inner = inner
        self._points = points
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            if self._kind == MESSAGE:
                kept = {key: _copied(each) for key, each in named.items()}
                self._points.heard.append(Heard(name, tuple(map(_copied, args)), kept))
            self._points.at(self._kind, name, BEFORE)
            result = found(*args, **named)
            if name in _NOTED:
                self._points.done.append(_done(name, args, self._points.now()))
            self._points.at(self._kind, name, AFTER)
            return result

        return call


def _done(name: str, args: tuple[Any, ...], now: float) -> Done:
    if name == "set_password":
        return Done(name, now, args[0].guid, bytes(args[1].reveal()))
    return Done(name, now, str(args[0]))


def pointed(authority: Authority, points: Points) -> Authority:
    """Return the authority with points around each message to it."""
    return cast("Authority", _Calls(authority, points, MESSAGE))
