"""Watches PC/SC readers for ever (`ports.Monitor`).

One daemon thread with a context of its own waits in slices. Whatever goes wrong,
the service being absent, killed or restarted included, is told as ServiceLost and
tried again; the thread ends only when it is told to. A service that is there and does
not answer keeps that thread inside a call: a second one, the guard, notices and tells.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from kiosk.cards.any_card import AnyCard, MakeCard
from kiosk.cards.pcsc import pcsclite, winscard
from kiosk.cards.pcsc.connection import PcscConnection
from kiosk.cards.pcsc.slots import Slots
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.ports import Card, Connection, ReaderEvent
from kiosk.cards.trace import Trace
from kiosk.cards.values import Family, ServiceLost

log = logging.getLogger(__name__)

_SLICE_SECONDS = 1.0
_SETTLING_SLICE_SECONDS = 0.2
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0)
_STOP_SECONDS = 2.0
_CANCEL_SECONDS = 0.02
"""How long a wait that was cancelled may take to end before it is cancelled again."""
_UNANSWERED_SECONDS = 5.0
"""How long one call may take before the service counts as lost."""
_GUARD_SECONDS = 0.5
_NO_ANSWER = "no answer"
_PLUG_AND_PLAY = r"\\?PnP?\Notification"
"""The pseudo reader whose state changes when a reader comes or goes."""


class PcscMonitor:
    """Watches the readers whose name contains one of `names`; all if there is none.

    Started once. `emit` should not raise; where it does, the error is logged.
    """

    def __init__(
        self,
        names: Sequence[str] = (),
        trace: Trace | None = None,
        *,
        use_pinpads: bool = True,
        requires_pinpads: bool = False,
        more: dict[Family, MakeCard] | None = None,
    ) -> None:
        """`trace`: where every connection to a card is written down, masked.

        `use_pinpads` False: readers with a PIN pad count as readers without.
        `requires_pinpads`: PINs are typed at readers only. `more`: families of cards
        besides PIV and GIDS.
        """
        self._names = tuple(names)
        self._trace = trace
        self._use_pinpads = use_pinpads
        self._requires_pinpads = requires_pinpads
        self._more = more
        self._emit: Callable[[ReaderEvent], None] = _nobody
        self._slots = Slots(self._card_in)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        """Held while `_context` is set, cancelled or let go."""
        self._context: int | None = None
        self._is_lost = False
        self._left_out: set[str] = set()
        """Readers whose names PC/SC's library cannot be told."""
        self._heard_at = time.monotonic()
        """When the service last answered, or was last given up."""
        self._telling = threading.RLock()
        """Held while slots change and while events are told."""
        self._thread = threading.Thread(target=self._run, name="readers", daemon=True)
        self._guard = threading.Thread(
            target=self._watch_over, name="readers-guard", daemon=True
        )

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._emit = emit
        self._heard_at = time.monotonic()
        self._thread.start()
        self._guard.start()

    def stop(self) -> None:
        """As the port says, also where the service does not answer."""
        self._stopping.set()
        threading.Thread(target=self._cancel, name="readers-stop", daemon=True).start()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _cancel(self) -> None:
        """End the wait. A service that does not answer does not answer this either.

        PC/SC forgets what comes just before the wait begins: it is said until it is
        heard.
        """
        ends = time.monotonic() + _STOP_SECONDS
        while self._thread.is_alive() and time.monotonic() < ends:
            with self._lock:
                if self._context is None:
                    return
                try:
                    winscard.cancel(self._context)
                except PcscError as error:
                    log.info("pcsc.cancel_failed hresult=%s", error)
                    return
            self._thread.join(_CANCEL_SECONDS)

    def _watch_over(self) -> None:
        """Tell that the service is lost when it keeps the other thread in a call."""
        while not self._stopping.wait(_GUARD_SECONDS):
            with self._telling:
                if time.monotonic() - self._heard_at > _UNANSWERED_SECONDS:
                    self._lost(_NO_ANSWER)

    # --- the thread ---------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = self._heard_at = time.monotonic()
            try:
                self._watch()
            except PcscError as error:
                self._lost(error.reason, is_denied=error.hresult == winscard.DENIED)
            except Exception as error:  # noqa: BLE001 - a blind station helps nobody
                log.error("pcsc.monitor_failed type=%s", type(error).__name__)
                self._lost(type(error).__name__)
            if time.monotonic() - began > max(_BACKOFF_SECONDS):
                failures = 0
            step = min(failures, len(_BACKOFF_SECONDS) - 1)
            self._stopping.wait(_BACKOFF_SECONDS[step])
            failures += 1

    def _watch(self) -> None:
        """Watch until told to stop. PcscError when the service goes away."""
        context = self._open()
        try:
            plug = 0
            while not self._stopping.is_set():
                self._list(context)
                wanted = {**self._slots.states, _PLUG_AND_PLAY: plug}
                states = self._wait(context, wanted)
                plug = states.pop(_PLUG_AND_PLAY, 0)
                now = time.monotonic()
                with self._telling:
                    for name, state in states.items():
                        self._tell(self._slots.seen(name, state, now))
                    self._tell(self._slots.settle(now))
                    self._heard_at = time.monotonic()
        finally:
            self._close(context)

    def _wait(self, context: int, wanted: dict[str, int]) -> dict[str, int]:
        settling = self._slots.is_settling
        seconds = _SETTLING_SLICE_SECONDS if settling else _SLICE_SECONDS
        try:
            return winscard.status_change(context, seconds, wanted)
        except PcscError as error:
            if error.hresult == winscard.UNKNOWN_READER:
                # A reader went away meanwhile; the next list will tell which.
                self._stopping.wait(_SETTLING_SLICE_SECONDS)
                return {}
            if error.hresult == winscard.CANCELLED:
                return {}
            raise

    def _list(self, context: int) -> None:
        """Tell which readers there are, also when that is none for the first time."""
        found = self._usable(winscard.list_readers(context))
        if self._names:
            found = tuple(
                name for name in found if any(part in name for part in self._names)
            )
        with self._telling:
            self._is_lost = False
            self._tell(self._slots.readers(found, tuple(sorted(self._left_out))))
            self._heard_at = time.monotonic()

    def _usable(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out, and name once, what nothing could be connected to."""
        left_out = {name for name in found if not pcsclite.is_connectable(name)}
        for name in left_out - self._left_out:
            log.warning("pcsc.reader_left_out name=%s", ascii(name))
        self._left_out = left_out
        return tuple(name for name in found if name not in left_out)

    def _open(self) -> int:
        context = winscard.establish()
        with self._lock:
            self._context = context
        return context

    def _close(self, context: int) -> None:
        with self._lock:
            self._context = None
        try:
            winscard.release(context)
        except PcscError as error:
            log.info("pcsc.release_failed hresult=%s", error)

    def _lost(self, reason: str, *, is_denied: bool = False) -> None:
        with self._telling:
            self._tell(self._slots.lost())
            if not self._is_lost:
                self._is_lost = True
                log.warning("pcsc.service_lost reason=%s", reason)
                self._tell((ServiceLost(reason, is_denied),))

    def _card_in(self, reader: str, insertion: int, events: int) -> Card:
        return AnyCard(
            lambda: self._connected(reader, events),
            reader=reader,
            insertion=insertion,
            more=self._more,
            requires_pad=self._requires_pinpads,
        )

    def _connected(self, reader: str, events: int) -> Connection:
        connection = PcscConnection(reader, events=events, use_pinpad=self._use_pinpads)
        return self._trace.around(connection) if self._trace else connection

    def _tell(self, events: Iterable[ReaderEvent]) -> None:
        """Emit events. An observer that fails does not make the station blind."""
        for event in events:
            if self._stopping.is_set():
                return
            try:
                self._emit(event)
            except Exception as error:  # noqa: BLE001 - the observer's own, logged
                log.error("pcsc.observer_failed type=%s", type(error).__name__)


def _nobody(event: ReaderEvent) -> None:
    """Nobody watches yet."""
