"""What a visit costs, as `python -m scripts.bench fleet` measured it.

Processor time of a change, in milliseconds of one core of the machine that
docs/sizing.md names. It was shared with other work, which slows a visit down and hardly
changes what it uses.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCosts:
    """One visit: a change of a PIN, in four calls."""

    station: float = 6.6
    """Of the station: the card is simulated, TLS and signatures are not."""
    service: float = 19.1
    """Of the authority's process."""
    database: float = 7.8
    """Of PostgreSQL."""
    directory_wait: float = 100.0
    """Milliseconds that a visit waits for a real directory, without a core: three
    connections with bind (14 each), one reset (39), one bind to try it.
    """
    calls: tuple[float, ...] = (0.12, 0.2, 0.23, 0.45)
    """How the work is spread over open, prepare, authorise, write."""

    @property
    def all_sides(self) -> float:
        return self.station + self.service + self.database


MEASURED = VisitCosts()
HISTORY_OF_THREE = VisitCosts(service=66.2, database=10.0, station=7.5)
"""Where three earlier PINs may not return: scrypt compares with each of them."""
