"""Print what docs/sizing.md says: `python -m scripts.sizing`."""

from __future__ import annotations

from scripts.sizing.costs import HISTORY_OF_THREE, REAL_DIRECTORY
from scripts.sizing.model import Machines, Morning

CASES = (
    ("40", 40, Machines(service_cores=1, database_cores=1, threads=8), 900.0),
    ("4,000", 4_000, Machines(service_cores=6, database_cores=2, threads=32), 90.0),
    (
        "40,000 (a tenth of 400,000)",
        40_000,
        Machines(service_cores=60, database_cores=8, threads=160),
        15.0,
    ),
)
MINUTES_BETWEEN = 2.0
"""A Monday: each station has a visit every two minutes."""
RUSH = 1.5


def main() -> None:
    """Simulate each fleet's Monday morning."""
    for costs, what in (
        (REAL_DIRECTORY, "no history"),
        (HISTORY_OF_THREE, "history of 3"),
    ):
        for name, stations, machines, seconds in CASES:
            rate = stations / MINUTES_BETWEEN / 60
            waited = Morning(costs, machines).arriving(rate, seconds, RUSH)
            took = [round(waited.percentile(part)) for part in (0.5, 0.95, 0.99)]
            authority = waited.share("service", machines.service_cores)
            database = waited.share("database", machines.database_cores)
            print(
                f"{what}, {name} stations, {rate:.1f}/s: p50, p95, p99 {took} ms;"
                f" authority {authority:.0%} of {machines.service_cores},"
                f" database {database:.0%} of {machines.database_cores}"
            )


if __name__ == "__main__":
    main()
