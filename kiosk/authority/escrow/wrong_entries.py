"""Wrong codes that were typed beside a card which has proven nothing: a pause.

A card's name is public and can be copied, so what is typed beside a card that has not
shown a key is no word against its credential. It counts against the station: from the
third on nobody types a code there for a while, twice as long each time. Counted in the
registry, in the transaction that refuses the code: every process of an authority knows
of it, and so does one that starts.
"""

from __future__ import annotations

from storage.registry import Tx
from storage.view import View

_FREE = 2
_FIRST_SECONDS, _MOST_SECONDS = 5.0, 300.0
_FORGOTTEN_SECONDS = 900.0
"""Without a wrong code for so long, a station begins anew."""
_NO_END = 1e9


def count_wrong(tx: Tx, station: str, now: float) -> None:
    """A wrong code was typed there."""
    tx.add_one(_id(station), now=now, within=_NO_END, idle=_FORGOTTEN_SECONDS)


def forgive(tx: Tx, station: str) -> None:
    """The card has proven itself after all, or a code was right."""
    if tx.frequency(_id(station)) is not None:
        tx.forget_frequency(_id(station))


def pause(view: View, station: str, now: float) -> float:
    """Return for how many seconds nothing may be typed there; 0: it may."""
    found = view.frequency(_id(station))
    if found is None or found.is_over(now, within=_NO_END, idle=_FORGOTTEN_SECONDS):
        return 0.0
    if found.count <= _FREE:
        return 0.0
    length = min(_FIRST_SECONDS * 2.0 ** (found.count - _FREE - 1), _MOST_SECONDS)
    left = found.at + length - now
    return min(max(left, 0.0), length)  # a clock that was put back adds nothing


def _id(station: str) -> str:
    return f"wrong codes at {station}"
