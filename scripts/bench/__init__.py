"""Measurements: ours and another way to do the same, side by side in one run.

A measurement is a module beside this one with a function `run() -> list[Row]`; with a
`TITLE` its rows are a table of their own.
`make bench` runs them all but those that say `ON_REQUEST`, `python -m scripts.bench
NAME…` some of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. Less is better in both; a bound can be the other side."""

    what: str
    ours: float
    other: float
    """What ours is compared with, measured in the same run (or the bound itself)."""
    other_is: str
    """`bare script`, `SQLite`, `bound` …"""
    unit: str
    target: float
    """The highest ratio ours / other that will do; infinite: none is wanted."""
    at_most: float | None = None
    """What ours may be, whatever the other side is."""

    @property
    def ratio(self) -> float:
        return self.ours / self.other if self.other else float("inf")

    @property
    def holds(self) -> bool:
        within = self.at_most is None or self.ours <= self.at_most
        return within and self.ratio <= self.target
