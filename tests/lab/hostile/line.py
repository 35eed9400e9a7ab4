"""The line between station and authority: bytes that are lost, late, doubled, old.

Each call of the authority's port becomes a question in bytes, under a key of its own.
What is on the line is kept by whoever listens. Two authorities hear it, each with a
process and a sealing key of its own, on one registry; a station asks the next one when
it hears nothing, under the same key, as it does over HTTPS.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from kiosk.authority.errors import AuthorityAway
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Prepared
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question, Served
from kiosk.simulation.interference import ProcessDied
from lab.hostile.points import AFTER, BEFORE, LINE, Lost, Points

_TRIES = 3
"""How often a station asks before it takes the authority for away."""


class Authorities(Protocol):
    """What is at the other end."""

    authorities: list[RequiredPorts]

    def restart_one(self, number: int) -> None:
        """A process dies, and begins again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A question that was on the line: who asked, what, in which bytes."""

    station: str
    call: str
    body: bytes


@dataclass(slots=True)
class Line:
    """Carries bytes to whichever authority is asked. One for the whole town."""

    points: Points
    behind: Authorities
    sent: list[Sent] = field(default_factory=list)
    held: list[Sent] = field(default_factory=list)
    """What is still under way while its sender has long given up."""
    begin: Callable[[str, Callable[[], None]], None] | None = None
    """Lets somebody go on beside the others; None: one goes after the other."""
    _keys: itertools.count[int] = field(default_factory=itertools.count)

    def station(self, name: str) -> Authority:
        """Return the port as a station at this line has it."""
        return cast("Authority", _Station(self, name, f"line-{next(self._keys)}"))

    def ask(self, sent: Sent, first: int) -> bytes:
        """Ask one authority after the other under one key. AuthorityAway."""
        self.sent.append(sent)
        for number in range(first, first + _TRIES):
            try:
                self.points.at(LINE, sent.call, BEFORE)
                answer = self.carry(sent, number)
                self.points.at(LINE, sent.call, AFTER)
            except Lost:
                continue
            except ProcessDied:
                self.behind.restart_one(number)
                continue
            return answer
        raise AuthorityAway

    def carry(self, sent: Sent, number: int, station: str = "") -> bytes:
        """Let an authority hear it. `station`: who says that it asks."""
        every = self.behind.authorities
        parts = every[number % len(every)]
        asking = station or sent.station
        served = Served(
            lambda key: LocalAuthority(parts, asking, key), parts.sealed_for
        )
        return served.answer(sent.call, sent.body)

    def hold_last(self) -> None:
        """The last question is under way for long: it is heard when it is let go."""
        self.held += self.sent[-1:]

    def hear_beside(self) -> None:
        """The last question is heard while its sender, who has given up, asks again."""
        if self.begin is None:
            return self.hold_last()
        sent, number = self.sent[-1], len(self.sent)

        def heard() -> None:
            try:
                self.carry(sent, number)
            except ProcessDied:
                self.behind.restart_one(number)

        return self.begin(f"{sent.station}, {sent.call} beside", heard)

    def let_go(self) -> None:
        """What was late arrives now, the last one first."""
        while self.held:
            late = self.held.pop()
            self.carry(late, len(self.held))

    def again(self, sent: Sequence[Sent], station: str = "") -> None:
        """Somebody sends again what was heard, to the one and to the other."""
        for number, each in enumerate(sent):
            self.carry(each, number, station)


class _Station:
    """A station's half, as `client.remote`: a question to each call."""

    def __init__(self, line: Line, name: str, own: str) -> None:
        self._line = line
        self._name = name
        self._keys = (f"{own}-{number}" for number in itertools.count())
        self._sealing_keys: dict[str, bytes] = {}
        self._first = 0

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)

        def call(*args: object, **named: object) -> object:
            request = CALLS[name].bound(args, named)
            operation = getattr(request, "operation", "")
            question = Question(
                name,
                request,
                key=next(self._keys),
                sealing_key=self._sealing_keys.get(operation, b""),
            )
            sent = Sent(self._name, name, question.body)
            answer = question.answer(self._line.ask(sent, self._first))
            if isinstance(answer, Prepared):
                self._sealing_keys[answer.operation] = answer.sealing_key
            return answer

        return call
