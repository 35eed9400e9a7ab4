"""The signs on the screens, and a plainer set for consoles without them.

A mark never stands alone: a word or its place says the same. The Linux console has
256 glyphs and none of the ticks and arrows, so it is given ASCII.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_PLAIN_TERMINALS = ("linux", "vt", "ansi", "dumb", "cons")


class Glyphs(NamedTuple):
    """One sign for each thing that has one."""

    done: str
    """A rule that is met, a step that is done."""
    open: str
    """A rule that is not met yet."""
    failed: str
    running: str
    attention: str
    advice: str
    """Before a thing to do next."""
    pointer: str
    """Before the action that Enter would choose."""
    hidden: str
    """For each hidden character."""
    cursor: str
    arrows: str
    """The keys that move up and down."""
    rising: str
    falling: str
    dot: str
    """Between two things on one line."""


UNICODE = Glyphs("✓", "○", "✗", "…", "!", "→", "▸", "●", "▏", "↑ ↓", "▲", "▼", "·")
ASCII = Glyphs(
    "[x]", "[ ]", "[!]", "...", "!", "->", ">", "*", "_", "Up Down", "^", "v", "-"
)


def marks() -> Glyphs:
    """Return what this terminal can draw."""
    is_plain = os.environ.get("TERM", "").startswith(_PLAIN_TERMINALS)
    return ASCII if is_plain else UNICODE
