"""How old the last checkpoint is: what came after it could be missing unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.core.clock import Clock
    from storage.registry import Registry

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def said(registry: Registry, clock: Clock) -> str:
    """Return its number, age and moment in one line; or why there are none.

    RegistryError.
    """
    from kiosk.authority.proof import heads
    from kiosk.authority.proof.verification import moment
    from storage.checkpoints import LANE
    from storage.errors import EvidenceDamaged, EvidenceMissing

    try:
        newest = heads.newest(registry)
    except heads.NoCheckpoint:
        return "none yet"
    except (EvidenceMissing, EvidenceDamaged):
        number = registry.read(lambda view: view.heads())[LANE].seq
        return f"{number:,}, and the file that it is in cannot be read"
    age, when = clock.now() - newest.at, moment(newest.at)
    if age < 0:
        return f"{newest.seq:,}, signed later than this machine's clock: {when}"
    return f"{newest.seq:,}, signed {_age(age)} ago: {when}"


def _age(seconds: float) -> str:
    """Return how long that is, in the largest unit that it has two of."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:,.0f} {unit}"
    return f"{seconds:.0f} s"
