"""A station as a face sees it: what is missing, which card came, and its visit.

`bootstrap` builds one from real parts, `rehearsal.world` from simulated ones; the
faces cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the first frame needs the settings only
    from kiosk.authority.values import StationFault
    from kiosk.cards.ports import Card, ReaderEvent
    from kiosk.visit.views import VisitPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpdesk:
    """Who to call when a screen is a dead end. Shown, never parsed."""

    contact: str
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings:
    """What a site decides about its screens. Times in seconds."""

    station: str
    title: str
    helpdesk: Helpdesk
    idle_warning_after: float = 45.0
    idle_wipe_after: float = 60.0
    print_with: tuple[str, ...] = ()
    """The command that prints what it is given; empty: nothing is printed here."""
    forgotten_card_bell: float = 5.0
    """How often the bell calls for a card that was left after the visit's end."""
    pause: float = 120.0
    """How much more time somebody gets who asks for it; 0: nobody does."""
    languages: tuple[str, ...] = ("en",)
    """What can be chosen, by code; the first is spoken unless another is."""
    high_contrast: bool = False
    big_digits: bool = False
    """Numbers that are read out are drawn three lines high."""


class Station(Protocol):
    """Everything a face may use."""

    @property
    def settings(self) -> FaceSettings:
        """The site's settings."""

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        """Begin to watch the readers; `emit` is called on the monitor's thread."""

    def health(self) -> tuple[StationFault, ...]:
        """Ask for what is missing (authority side). Blocks; authority worker."""

    def visit(self, card: Card) -> VisitPort:
        """Begin a visit for an inserted card. Cheap; any thread."""

    def on_card_worker(self, job: Callable[[], None]) -> None:
        """Queue a job on the card worker. Jobs never overlap. Any thread."""

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        """Queue a job on the authority worker. Any thread."""

    def beside(self, job: Callable[[], None]) -> None:
        """Queue a job that takes long, and that no card waits for. Any thread.

        Such jobs have a thread of their own, and do not overlap.
        """

    def stop(self) -> None:
        """Stop the monitor and drop what is queued; waits at most 2 s."""
