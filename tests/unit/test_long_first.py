"""Whoever begins a run begins with what takes longest, and ends with what is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab.long_first import dealt


class Item:
    def __init__(self, name: str, mark: str = "", folder: str = "e2e") -> None:
        self.name, self.path, self._mark = name, Path(folder, name[0]), mark

    def get_closest_marker(self, name: str) -> str | None:
        return name if name == self._mark else None


def order(items: list[Any], workers: int) -> str:
    return " ".join(item.name for item in dealt(items, workers))


def shorts(count: int) -> list[Item]:
    return [Item(f"z{number}") for number in range(count)]


def test_each_worker_begins_with_a_long_file_of_its_own() -> None:
    items = [*shorts(6), Item("a1", "long"), Item("b1", "long")]
    assert order(items, 2) == "a1 z0 z1 z2 b1 z3 z4 z5"


def test_a_file_is_not_torn_apart() -> None:
    items = [Item("a1", "long"), *shorts(3), Item("a2", "long")]
    assert order(items, 2) == "a1 a2 z0 z1 z2"


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_nothing_is_lost(workers: int) -> None:
    items = [*shorts(5), *(Item(f"{it}1", "long") for it in "abcd")]
    assert sorted(order(items, workers).split()) == sorted(it.name for it in items)


def test_what_is_quick_comes_last_in_every_hand() -> None:
    quick = [Item(f"q{number}", folder="unit") for number in range(2)]
    items = [*quick, Item("a1", "long"), *shorts(5)]
    assert order(items, 2) == "a1 z0 z1 q0 z2 z3 z4 q1"


def test_a_quarter_is_kept_for_the_end_and_the_rest_stays_among_the_others() -> None:
    quick = [Item(f"q{number}", folder="unit") for number in range(4)]
    assert order([*quick, *shorts(4)], 1) == "q2 q3 z0 z1 z2 z3 q0 q1"


def test_what_is_slow_or_elsewhere_is_not_quick() -> None:
    items = [Item("s1", "slow", "unit"), Item("q1", folder="unit"), *shorts(2)]
    assert order(items, 1) == "s1 z0 z1 q1"
