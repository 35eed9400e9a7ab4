"""Whoever begins a run begins with what takes longest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab.long_first import dealt


class Item:
    def __init__(self, name: str, *, is_long: bool = False) -> None:
        self.name, self.path, self._is_long = name, Path(name[0]), is_long

    def get_closest_marker(self, name: str) -> str | None:
        return name if self._is_long else None


def order(items: list[Any], workers: int) -> str:
    return " ".join(item.name for item in dealt(items, workers))


def shorts(count: int) -> list[Item]:
    return [Item(f"z{number}") for number in range(count)]


def test_each_worker_begins_with_a_long_file_of_its_own() -> None:
    items = [*shorts(6), Item("a1", is_long=True), Item("b1", is_long=True)]
    assert order(items, 2) == "a1 z0 z1 z2 b1 z3 z4 z5"


def test_a_file_is_not_torn_apart() -> None:
    items = [Item("a1", is_long=True), *shorts(3), Item("a2", is_long=True)]
    assert order(items, 2) == "a1 a2 z0 z1 z2"


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_nothing_is_lost(workers: int) -> None:
    items = [*shorts(5), *(Item(f"{it}1", is_long=True) for it in "abcd")]
    assert sorted(order(items, workers).split()) == sorted(it.name for it in items)
