"""The engine under both tables: `transitions`, used as data and nothing more.

Automatic transitions are off, so only table edges exist; no callback is named by a
string, because a dotted one would be imported and called; no model is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from transitions import Machine


class Engine:
    """A set of edges (trigger, source, target) that answers where one leads."""

    def __init__(
        self,
        states: type[StrEnum],
        edges: Iterable[tuple[str, StrEnum, StrEnum]],
    ) -> None:
        self._machine = Machine(
            model=None,
            states=states,
            initial=None,
            auto_transitions=False,
            transitions=[
                {"trigger": trigger, "source": source, "dest": target}
                for trigger, source, target in edges
            ],
        )

    def targets(self, trigger: str, source: StrEnum) -> tuple[str, ...]:
        """Return the names of the states that `trigger` leads to from `source`."""
        found = self._machine.get_transitions(trigger=trigger, source=source)
        return tuple(str(transition.dest) for transition in found)
