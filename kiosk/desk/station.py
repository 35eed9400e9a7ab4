"""A desk as its face sees it: readers, one session, one worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from kiosk.authority.office.ports import OFFICE_ERRORS, OfficeAuthority
from kiosk.cards.ports import Monitor, ReaderEvent
from kiosk.core.errors import Message, said_of
from kiosk.core.workers import SerialWorker
from kiosk.desk.context import Site
from kiosk.desk.patience import Patience
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort
from kiosk.visit.station import FaceSettings

T = TypeVar("T")


class DeskStation(Protocol):
    """Everything an operator's face may use."""

    @property
    def settings(self) -> FaceSettings:
        """The site's settings."""

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        """Begin to watch the readers; `emit` is called on the monitor's thread."""

    def open(self) -> DeskPort | Message:
        """Return the session, or why there is none yet. Worker's thread."""

    def on_worker(self, job: Callable[[], None]) -> None:
        """Queue a job; jobs never overlap. Any thread."""

    def stop_waiting(self) -> None:
        """End what is being done for the operator, if that only looks. Any thread."""

    def stop(self) -> None:
        """Stop the monitor and drop what is queued; waits at most 2 s."""


@dataclass(frozen=True, slots=True)
class OpenedDesk:
    """What a session works with, and how to let go of it."""

    authority: OfficeAuthority
    site: Site
    close: Callable[[], None]
    idle: Callable[[], bool]
    """Tidies up while nobody asks; says whether there is more."""
    make_lists_ready: Callable[[], None]
    """Has what lists are read from made, if it is not: of a million credentials that
    takes seconds."""


class Beside:
    """`card_work.Aside` beside a worker."""

    def __init__(self, worker: SerialWorker) -> None:
        self._worker = worker
        self._beside = SerialWorker("desk cards")

    def run(self, job: Callable[[], None]) -> None:
        self._beside.post(job)

    def ask(self, question: Callable[[], T]) -> T:
        return self._worker.submit(question).result()


class EmbeddedDesk:
    """`DeskStation` with its authority in the same process."""

    def __init__(
        self,
        settings: FaceSettings,
        monitor: Monitor,
        open: Callable[[], OpenedDesk],
    ) -> None:
        """`open` raises KioskErrors and RegistryErrors, and may be called again."""
        self.settings = settings
        self._monitor = monitor
        self._open = open
        self._opened: OpenedDesk | None = None
        self._session: Session | None = None
        self._has_lists = False
        self._patience = Patience()
        self._worker = SerialWorker("desk", self._use_quiet)

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._monitor.start(emit)

    def open(self) -> DeskPort | Message:
        if self._session is None:
            try:
                self._opened = self._open()
            except OFFICE_ERRORS as error:
                return said_of(error)
            site = replace(self._opened.site, waits=self._patience.lasts)
            self._session = Session(self._opened.authority, site, Beside(self._worker))
        return self._session

    def on_worker(self, job: Callable[[], None]) -> None:
        self._worker.post(self._patience.of(job))

    def stop_waiting(self) -> None:
        self._patience.end()

    def stop(self) -> None:
        self._monitor.stop()
        self._patience.end()
        self._worker.submit(self._close).wait(2.0)
        self._worker.stop()

    def _use_quiet(self) -> bool:
        """Before anything else, what the first search would have to wait for."""
        if self._opened is None:
            return False
        if not self._has_lists:
            self._has_lists = True
            self._opened.make_lists_ready()
            return True
        return self._opened.idle()

    def _close(self) -> None:
        if self._session is not None:
            self._session.sign_out()
        if self._opened is not None:
            self._opened.close()
