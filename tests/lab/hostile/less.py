"""A history cut down to what it needs to break a promise.

A seed's history is made of named parts: visits, acts, the helpdesk's decisions, and so
many turns that chance gives before everybody goes on for as long as they can. `shrunk`
leaves out what it can do without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.hostile.explore import Failure

_MOST_TURNS = 1 << 12
"""More than any history has."""


@dataclass(frozen=True, slots=True)
class Less:
    """What of a seed's history happens."""

    without: frozenset[str] = frozenset()
    restless: int = _MOST_TURNS
    """Turns that chance gives; after them whoever goes on, goes on."""
    met: dict[str, None] = field(default_factory=dict, compare=False)
    """Every part that there was, in order."""

    def has(self, part: str) -> bool:
        """Say whether that part happens."""
        self.met[part] = None
        return part not in self.without

    def __str__(self) -> str:
        left = [part for part in self.met if part not in self.without]
        calm = "" if self.restless == _MOST_TURNS else f", {self.restless} turns"
        return f"only {', '.join(left) or 'nothing'}{calm}"


Replayed = Callable[[int, Less], "Failure | None"]


def shrunk(seed: int, happens: Replayed) -> tuple[Less, Failure] | None:
    """Return the fewest parts of a seed's history that still break a promise.

    None: it breaks none.
    """
    less = Less()
    failure = happens(seed, less)
    if failure is None:
        return None
    smaller = True
    while smaller:
        smaller = False
        for fewer in _fewer(less):
            still = happens(seed, fewer)
            if still is not None:
                less, failure, smaller = fewer, still, True
                break
    return less, failure


def _fewer(less: Less) -> list[Less]:
    """Return what is smaller by one step, the largest steps first."""
    left = [part for part in less.met if part not in less.without]
    found = [
        replace(less, without=less.without | {part}, met={}) for part in reversed(left)
    ]
    calmer = {0, less.restless // 2, less.restless - 1} - {less.restless}
    found += [replace(less, restless=each, met={}) for each in sorted(calmer)]
    return [each for each in found if each.restless >= 0]
