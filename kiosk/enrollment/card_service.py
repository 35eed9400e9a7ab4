"""Why no card can be read, as whoever typed a command is told: they can mend it."""

from __future__ import annotations

from kiosk.cards.values import ServiceLost
from kiosk.core.errors import KioskError


class CardServiceLost(KioskError):
    """There is no card service: `reason`."""

    code = "card.info.service_lost"


class CardServiceDenied(KioskError):
    """It runs, and does not let this user use it: `reason`."""

    code = "card.info.service_denied"


def why_lost(event: ServiceLost) -> CardServiceLost | CardServiceDenied:
    """Return what a monitor has told."""
    lost = CardServiceDenied if event.is_denied else CardServiceLost
    return lost(reason=event.reason)
