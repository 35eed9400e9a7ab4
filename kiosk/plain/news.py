"""What may happen while somebody is asked something, and what ends the asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.authority.values import StationFault


class CardGone(Exception):
    """The card of the talk has left, or another one has joined it."""

    is_unsent = False
    """The person had chosen something, and nothing of it has been sent."""


class TimeIsUp(Exception):
    """Nobody has typed for too long."""


class EndRequested(Exception):
    """The process was asked to end."""


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job has ended: with a value or an error."""

    token: object
    value: object = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class HealthNews:
    """What is missing."""

    faults: tuple[StationFault, ...]


@dataclass(frozen=True, slots=True)
class End:
    """A signal asked the process to end."""
