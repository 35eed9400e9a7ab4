"""What a station of a fleet sees of itself when it is to tell of it."""

from __future__ import annotations

from collections.abc import Callable

Look = Callable[[], tuple[tuple[str, ...], tuple[str, ...]]]
"""Quick: names of the modules that are there, and of parts that fail."""


def nothing_seen() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return that no module is there and no part fails: nobody looked."""
    return (), ()
