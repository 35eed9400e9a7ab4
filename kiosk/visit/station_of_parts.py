"""A station made of a monitor and an authority, in its process or elsewhere.

The authority is opened on its own worker when it is first needed. What cannot be
opened is a fault that every look at the station's health tries again, so a kiosk
whose store is missing says so on its screen and comes back by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.authority.ports import Authority
from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, Monitor, ReaderEvent
from kiosk.core.errors import KioskError, said_of
from kiosk.core.figures import UNTOLD, Figures
from kiosk.core.workers import SerialWorker
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.reader_state import state_after
from kiosk.visit.run import Workplace
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Answers, Form, Home, Progress, Result, VisitPort
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.errors import RegistryError

_AWAY = "authority"
"""The part that is missing where nobody is there to be told anything."""


@dataclass(frozen=True, slots=True)
class OpenedAuthority:
    """An authority, and how to let go of what it holds. Authority worker's thread."""

    authority: Authority
    close: Callable[[], None]
    idle: Callable[[], bool] = lambda: False
    """Does a little of what can wait; says if more is due."""
    tell: Callable[[str], None] = lambda reader: None  # noqa: ARG005 - nobody hears it
    """Says to an authority elsewhere how this station is, with its reader's state
    (`report_call.ReaderStanding`); once in a while, raises nothing."""


class StationOfParts:
    """`station.Station` over any monitor and any authority."""

    def __init__(
        self,
        settings: FaceSettings,
        monitor: Monitor,
        open: Callable[[], OpenedAuthority],
        figures: Figures = UNTOLD,
    ) -> None:
        """`open` raises KioskErrors and RegistryErrors, and may be called again."""
        self._figures = figures
        self._settings = settings
        self._monitor = monitor
        self._open = open
        self._opened: OpenedAuthority | None = None
        self._reader = "unknown"
        self._card_worker = SerialWorker("card")
        self._authority_worker = SerialWorker("authority", self._use_quiet)
        self._errand_worker = SerialWorker("errands")

    @property
    def settings(self) -> FaceSettings:
        return self._settings

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        def seen(event: ReaderEvent) -> None:
            self._reader = state_after(event, self._reader)
            emit(event)

        self._monitor.start(seen)

    def health(self) -> tuple[StationFault, ...]:
        try:
            faults = self._authority().health()
        except (KioskError, RegistryError) as error:
            faults = (StationFault(part="store", message=said_of(error)),)
        if self._opened is not None and not any(it.part == _AWAY for it in faults):
            self._opened.tell(self._reader)
        self._figures.health(fault.part for fault in faults)
        return faults

    def visit(self, card: Card) -> VisitPort:
        return _OpeningVisit(card, self._begin)

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._card_worker.post(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._authority_worker.post(job)

    def beside(self, job: Callable[[], None]) -> None:
        self._errand_worker.post(job)

    def stop(self) -> None:
        self._monitor.stop()
        self._card_worker.stop()
        self._errand_worker.stop()
        self._authority_worker.submit(self._close).wait(2.0)
        self._authority_worker.stop()

    # --- inside ---------------------------------------------------------------

    def _use_quiet(self) -> bool:
        return self._opened is not None and self._opened.idle()

    def _authority(self) -> Authority:
        """Return the authority, opened if it was not. Authority worker's thread."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened.authority

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _begin(self, card: Card) -> VisitPort:
        """Wait until the authority is open, then begin. Card worker's thread."""
        return Visit(
            Workplace(
                card=card,
                authority=self._authority_worker.submit(self._authority).result(),
                worker=self._authority_worker,
            )
        )


class _OpeningVisit:
    """`views.VisitPort` that waits for the authority when its card is recognised."""

    def __init__(self, card: Card, begin: Callable[[Card], VisitPort]) -> None:
        self._card = card
        self._begin = begin
        self._visit: VisitPort | None = None

    def recognise(self) -> Home:
        if self._visit is None:
            self._visit = self._begin(self._card)
        return self._visit.recognise()

    def begin(self, kind: Kind) -> Form:
        return self._known().begin(kind)

    def leave(self) -> None:
        if self._visit is not None:
            self._visit.leave()

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        if self._visit is None:
            answers.wipe()
        return self._known().submit(form, answers, emit)

    def close(self) -> None:
        if self._visit is None:
            self._card.close()
        else:
            self._visit.close()

    def _known(self) -> VisitPort:
        if self._visit is None:
            raise NotOffered
        return self._visit
