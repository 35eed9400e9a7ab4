"""Run measurements and print one table; exit 1 if a target is missed."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import scripts.bench
from scripts.bench import Row

HEAD = ("what", "ours", "other side", "", "ratio", "target", "")


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
        f"{row.other:.4g} {row.unit}",
        row.other_is,
        f"{row.ratio:.3g}",
        f"<= {row.target:g}",
        "ok" if row.holds else "MISSED",
    )


def table(rows: list[Row]) -> str:
    """Return aligned columns."""
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def main(wanted: list[str]) -> int:
    """Run the wanted measurements, or all."""
    rows: list[Row] = []
    for name in wanted or names():
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"scripts.bench.{name}").run()
    print(table(rows))
    missed = sum(not row.holds for row in rows)
    print(f"\n{len(rows) - missed} held, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
