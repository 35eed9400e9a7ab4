"""One screen in one situation: where a key can be pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.matrix.visitor import Visitor

DIGITS, LETTERS = b"73915", b"Zq7#k"
"""Typed into secret fields before each key, and never to be read anywhere. Shorter
than any PIN: an entry that is not complete costs no try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One screen in one situation, and how to come there."""

    name: str
    face: str
    shows: str
    """What the program calls it."""
    arrive: Callable[[Visitor], None]
    secret: bytes = b""
    """Typed there already; its characters must never be seen."""
    can_be_shown: bool = False
    """F3 shows what was typed, on purpose."""
    manner: str = ""
    again: Callable[[Visitor], None] | None = None
    """What to type on a fresh screen of this place; None: it cannot be had."""
    does: frozenset[str] = frozenset()
    """What the page's own key may change, once, by the names of facts."""
    tries: int = 0
    """How many tries may be spent by Enter: what was typed may be complete here."""

    def afresh(self, visitor: Visitor) -> bool:
        """Show the same screen anew, without the way to it; False: that cannot be."""
        if not self.again or not visitor.ask("afresh")["shown"]:
            return False
        visitor.settle()
        self.again(visitor)
        return True
