"""The demo's cards, and the hand that moves them: what the demo tray needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DemoCard:
    """One card of the tray. `hint` is what its holder would know: it is a demo."""

    name: str
    story: str
    hint: str
    next: str = ""
    """What is worth trying with it now."""


class DemoDeck(Protocol):
    """Simulated cards that a person can insert and pull. UI thread."""

    @property
    def cards(self) -> tuple[DemoCard, ...]:
        """The cards, in the order of the tray."""

    def insert(self, index: int) -> None:
        """Insert that card; another one that is in is pulled first."""

    def pull(self) -> None:
        """Pull the card that is in."""

    def release_code(self) -> str:
        """Return what the helpdesk would read out for the card that is in."""

    def note(self) -> str:
        """Say what is true behind the scenes of the card that was in last."""
