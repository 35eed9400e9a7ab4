"""The engine under both tables: `transitions`, used as data and nothing more.

Automatic transitions are off, so only table edges exist; no callback is named by a
string, because a dotted one would be imported and called; no model is kept. It is
built when it is first asked: importing a table costs no import of its engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transitions import Machine


class Engine:
    """A set of edges (trigger, source, target) that answers where one leads."""

    def __init__(
        self,
        states: type[StrEnum],
        edges: Iterable[tuple[str, StrEnum, StrEnum]],
    ) -> None:
        self._states = states
        self._edges = tuple(edges)
        self._known: dict[tuple[str, StrEnum], tuple[str, ...]] = {}
        """What was asked before: a table does not change."""

    @cached_property
    def _machine(self) -> Machine:
        from transitions import Machine

        return Machine(
            model=None,
            states=self._states,
            initial=None,
            auto_transitions=False,
            transitions=[
                {"trigger": trigger, "source": source, "dest": target}
                for trigger, source, target in self._edges
            ],
        )

    def targets(self, trigger: str, source: StrEnum) -> tuple[str, ...]:
        """Return the names of the states that `trigger` leads to from `source`."""
        known = self._known.get((trigger, source))
        if known is None:
            found = self._machine.get_transitions(trigger=trigger, source=source)
            known = tuple(str(transition.dest) for transition in found)
            self._known[trigger, source] = known
        return known
