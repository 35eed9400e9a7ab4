"""What can be true of one card, how each operation may end, and what happens next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from statemachine.lifecycle import Standing, State
from statemachine.operation import TABLE, Phase, Route, is_final
from statemachine.puk import DUE, Known

ENOUGH = 3
"""Tries of a PIN that nobody has to think about."""


class WayToOpen(StrEnum):
    """What sets a PIN anew, by the template and by what is kept."""

    ESCROW = "the PUK that the authority keeps"
    HOLDERS_PUK = "the PUK that the holder has"
    ADMIN_KEY = "the card's administrator key"
    NOTHING = "nothing"


class Agreement(StrEnum):
    """What the registry says of card and password."""

    NEVER = "never synchronised"
    IN_STEP = "in step"
    OUT_OF_STEP = "out of step"
    CARD_ALONE = "not synchronised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What registry and card say of one card, and what its holder knows."""

    standing: Standing
    agreement: Agreement
    tries: int = ENOUGH
    known: Known = Known.CURRENT
    remembers: bool = True
    """The holder knows the PIN."""
    interrupted: bool = False
    """An activation broke off at the card."""
    activated: bool = False
    """A PIN of the holder's own was set."""

    @property
    def is_over(self) -> bool:
        """The card has been taken out of use."""
        return self.standing.state in (State.REVOKED, State.RETIRED)

    @property
    def is_home(self) -> bool:
        """Everything is as it should be, and is said to be."""
        return (
            self.standing.state is State.ACTIVE
            and self.agreement in (Agreement.IN_STEP, Agreement.CARD_ALONE)
            and self.tries == ENOUGH
            and self.remembers
            and not self.interrupted
            and self.known not in DUE
        )


@dataclass(frozen=True, slots=True)
class OperationEnd:
    """One way through an operation's table."""

    phase: Phase
    changed: bool
    """The new PIN was verified on the card and was not changed back."""
    doubtful: bool
    """Nobody knows which PIN the card has."""
    path: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """What happens, who makes it happen, and what is then."""

    what: str
    to: Situation
    helps: bool
    """Somebody may do it on purpose, to bring a card home."""


def paths(route: Route) -> Iterator[tuple[Phase, ...]]:
    """Return every path of a route, from its first mark to where nothing follows."""
    waiting: deque[tuple[Phase, ...]] = deque([(Phase.PREPARED,)])
    while waiting:
        path = waiting.popleft()
        nexts = [
            step.target
            for step in TABLE
            if step.source is path[-1] and route in step.routes
        ]
        if not nexts:
            yield path
        for target in nexts:
            if target in path:
                raise ValueError(f"{route} goes round at {target}")
            waiting.append((*path, target))


@cache
def ends(route: Route) -> list[OperationEnd]:
    """Return how an operation may end."""
    found = []
    for path in paths(route):
        if not is_final(path[-1]):
            raise ValueError(f"{route} ends nowhere: {path}")
        restored = path[-1] in (Phase.ROLLED_BACK, Phase.REFUSED)
        going_back = Phase.ROLLING_BACK in path and not restored
        changed = Phase.CARD_CHANGED in path and not (restored or going_back)
        doubtful = not restored and not changed and Phase.CARD_CHANGING in path
        found.append(OperationEnd(path[-1], changed, doubtful, path))
    return found
