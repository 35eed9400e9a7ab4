"""What the station lacks, asked of it while nobody is there. UI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.authority.values import StationFault
from kiosk.core.errors import said_of
from kiosk.tui.messages import HealthKnown

if TYPE_CHECKING:
    from kiosk.visit.station import Station

log = logging.getLogger(__name__)


class StationHealth:
    """One question at a time."""

    def __init__(self, station: Station, tell: Callable[[HealthKnown], object]) -> None:
        """`tell` is called from the authority worker's thread."""
        self._station = station
        self._tell = tell
        self._is_asking = False

    def ask(self) -> None:
        """Ask, unless a question is out. `HealthKnown`."""
        if not self._is_asking:
            self._is_asking = True
            self._station.on_authority_worker(self._report)

    def heard(self, answer: HealthKnown) -> tuple[StationFault, ...]:
        """Take in the answer; return what is missing."""
        self._is_asking = False
        return answer.faults

    def _report(self) -> None:
        """Authority worker's thread."""
        try:
            faults = self._station.health()
        except Exception as error:  # noqa: BLE001 - then the station cannot be used
            log.error("ui.health_failed type=%s", type(error).__name__)
            faults = (StationFault(part="store", message=said_of(error)),)
        self._tell(HealthKnown(faults))
