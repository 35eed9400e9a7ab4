"""Run measurements and print their tables; exit 1 if one is missed, 2 if unknown."""

from __future__ import annotations

import importlib
import itertools
import math
import pkgutil
import sys

import scripts.bench
from scripts.bench import Row
from scripts.bench._awake import kept_awake

HEAD = ("what", "ours", "at most", "other side", "", "ratio", "target", "")


def names() -> list[str]:
    """Return every measurement there is."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(scripts.bench.__path__)
        if not module.name.startswith("_")
    )


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as it is printed."""
    return (
        row.what,
        f"{row.ours:.4g} {row.unit}",
        "" if row.at_most is None else f"{row.at_most:g} {row.unit}",
        f"{row.other:.4g} {row.unit}",
        row.other_is,
        f"{row.ratio:.3g}",
        "" if math.isinf(row.target) else f"<= {row.target:g}",
        "ok" if row.holds else "MISSED",
    )


def table(rows: list[Row]) -> str:
    """Return aligned columns; one that would be empty is left out."""
    lines = [HEAD, *(cells(row) for row in rows)]
    said = [any(column) for column in zip(*lines[1:], strict=True)]
    lines = [tuple(itertools.compress(line, said)) for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _measured(wanted: list[str]) -> dict[str, list[Row]]:
    """Return the rows of each table, by its title."""
    tables: dict[str, list[Row]] = {"": []}
    for name in wanted or names():
        module = importlib.import_module(f"scripts.bench.{name}")
        if getattr(module, "ON_REQUEST", False) and not wanted:
            continue
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        tables.setdefault(getattr(module, "TITLE", ""), []).extend(module.run())
    return tables


def main(wanted: list[str]) -> int:
    """Run the wanted measurements, or all that need no request."""
    if unknown := sorted({*wanted} - {*names()}):
        there_is = ", ".join(names())
        print(
            f"No measurement: {', '.join(unknown)}. There is: {there_is}.",
            file=sys.stderr,
        )
        return 2
    with kept_awake() as are_awake:
        tables = _measured(wanted)
    if not are_awake:
        print("The processors may have slept between messages: only root can ask.")
    for title, rows in tables.items():
        if rows:
            print("\n".join(filter(None, (title, table(rows)))), end="\n\n")
    every = [row for rows in tables.values() for row in rows]
    missed = sum(not row.holds for row in every)
    print(f"{len(every) - missed} held, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
