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

    station: float = 5.0
    """Of the station: the card is simulated, TLS and signatures are not."""
    service: float = 13.1
    """Of the authority's process."""
    database: float = 4.5
    """Of PostgreSQL."""
    directory_wait: float = 100.0
    """Milliseconds that a visit waits for a real directory: three connections with bind
    (14 each), one reset (39), one bind to try it.
    """
    calls: tuple[float, ...] = (0.12, 0.2, 0.23, 0.45)
    """How the work is spread over open, prepare, authorise, write."""

    @property
    def all_sides(self) -> float:
        return self.station + self.service + self.database


MEASURED = VisitCosts()
"""With a simulated directory, which answers at once."""
REAL_DIRECTORY = VisitCosts(service=29.1)
"""With a Samba, whose lines are kept: what speaking LDAP over TLS adds is more than the
rest. The station and the database as above: they do not know of the directory.
"""
HISTORY_OF_THREE = VisitCosts(service=63.8)
"""The same where three earlier PINs may not return: 34.7 of it is scrypt."""
