"""A station with its authority in the same process: `station.Station`, two workers."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.authority.ports import Authority, Fault
from kiosk.cards.ports import Card, Monitor, ReaderEvent
from kiosk.station import FaceSettings
from kiosk.visit.run import Workplace
from kiosk.visit.views import VisitPort
from kiosk.visit.visit import Visit
from kiosk.workers import SerialWorker


class EmbeddedStation:
    """`station.Station` over any monitor and any authority."""

    def __init__(
        self,
        settings: FaceSettings,
        monitor: Monitor,
        authority: Authority,
        *,
        close: Callable[[], None],
    ) -> None:
        """`close` lets go of what the authority holds; authority worker's thread."""
        self._settings = settings
        self._monitor = monitor
        self._authority = authority
        self._close = close
        self._card_worker = SerialWorker("card")
        self._authority_worker = SerialWorker("authority")

    @property
    def settings(self) -> FaceSettings:
        return self._settings

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._monitor.start(emit)

    def health(self) -> tuple[Fault, ...]:
        return self._authority.health()

    def visit(self, card: Card) -> VisitPort:
        return Visit(
            Workplace(
                card=card,
                authority=self._authority,
                worker=self._authority_worker,
                station=self._settings.station,
            )
        )

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._card_worker.post(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._authority_worker.post(job)

    def stop(self) -> None:
        self._monitor.stop()
        self._card_worker.stop()
        closed = self._authority_worker.submit(self._close)
        closed.wait(2.0)
        self._authority_worker.stop()
