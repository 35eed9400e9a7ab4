"""How large the terminal is: what the system knows of it, within reason."""

from __future__ import annotations

import os

_USUAL = (80, 24)
_LARGEST = (640, 240)
"""Columns and lines beyond which nothing is drawn; a wall of tiny letters has fewer."""


def size_of(descriptor: int) -> tuple[int, int]:
    """Return columns and lines; the usual ones where a terminal does not know."""
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        return _USUAL
    columns = size.columns or _USUAL[0]
    lines = size.lines or _USUAL[1]
    return min(columns, _LARGEST[0]), min(lines, _LARGEST[1])
