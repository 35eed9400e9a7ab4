"""How often a whole visit asks the registry: what docs/fleet.md and sizing.md count."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from lab.histories import History
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.visit.views import Outcome
from storage.memory_registry import MemoryRegistry
from storage.registry import Registry, Tx
from storage.view import View

T = TypeVar("T")
DOCUMENT = Path(__file__).parents[2] / "docs" / "fleet.md"
TRANSACTIONS = {"change": 5, "unblock": 12, "finish": 5, "activate": 5}
READINGS = {"change": 6, "unblock": 15, "finish": 6, "activate": 6}


class Counting:
    """A registry that counts what it is asked."""

    def __init__(self) -> None:
        self._registry = MemoryRegistry()
        self.transactions = self.readings = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def run(self, fn: Callable[[Tx], T]) -> T:
        self.transactions += 1
        return self._registry.run(fn)

    def read(self, fn: Callable[[View], T]) -> T:
        self.readings += 1
        return self._registry.read(fn)


@pytest.mark.parametrize("story", TRANSACTIONS)
def test_a_visit_asks_as_often_as_is_said(
    story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Counting()
    history = History(named(story), cast("Registry", registry))
    give = history.world.release_code

    def release_code(name: str) -> Secret:
        """What the helpdesk does is not the visit's."""
        before = registry.transactions, registry.readings
        code = give(name)
        registry.transactions, registry.readings = before
        return code

    monkeypatch.setattr(history.world, "release_code", release_code)
    registry.transactions = registry.readings = 0
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert registry.transactions == TRANSACTIONS[story]
    assert registry.readings == READINGS[story]


def test_the_document_says_so() -> None:
    said = re.sub(r"\s+", " ", DOCUMENT.read_text("utf-8"))
    change, unblock = TRANSACTIONS["change"], TRANSACTIONS["unblock"]
    assert f"of a change {change} transactions, an unblock {unblock} (" in said
