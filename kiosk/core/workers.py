"""A worker: one daemon thread with a queue, so that blocking work never overlaps.

A station has two, `card` and `authority`. They are daemons: a hanging driver can
not keep the process alive.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
QUIET_SECONDS = 5.0
"""Without a job before a worker looks for what can wait."""
REST_SECONDS = 60.0
"""Until it looks again, when nothing is due."""
log = logging.getLogger(__name__)


class PendingJob(Generic[T]):
    """A result that is not there yet. Wait for it on another thread."""

    __slots__ = ("_done", "_error", "_let_go", "_lock", "_value")

    def __init__(self) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._value: T | None = None
        self._error: BaseException | None = None
        self._let_go: Callable[[T], None] | None = None

    def run(self, job: Callable[[], T]) -> None:
        """Run `job` and keep what comes of it. Called by the worker."""
        try:
            self._keep(job())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self._error = error
        finally:
            self._done.set()

    def abandon(self, let_go: Callable[[T], None]) -> None:
        """Nobody waits any more: `let_go` gets what came of it, or comes of it later.

        On this thread or on the worker's; once.
        """
        with self._lock:
            self._let_go = let_go
            value, self._value = self._value, None
        if value is not None:
            let_go(value)

    def _keep(self, value: T) -> None:
        with self._lock:
            let_go = self._let_go
            if let_go is None:
                self._value = value
        if let_go is not None:
            let_go(value)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait at most `seconds`; say whether the result is there."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """Wait for it, then return the value or raise the error of the job."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set whenever no error is


class SerialWorker:
    """Runs jobs one after the other on its own daemon thread."""

    def __init__(self, name: str, idle: Callable[[], bool] | None = None) -> None:
        """`idle` does a little of what can wait, on the same thread, and says if more
        is due. It is called when no job has come for `QUIET_SECONDS`.
        """
        self._idle = idle
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        """Queue `job`; any thread. Its result or error is in what is returned."""
        pending: PendingJob[T] = PendingJob()
        self._jobs.put(lambda: pending.run(job))
        return pending

    def post(self, job: Callable[[], None]) -> None:
        """Queue `job` whose errors nobody waits for: they are logged by type."""
        self._jobs.put(job)

    def stop(self, seconds: float = 2.0) -> None:
        """Drop what is queued and wait at most `seconds` for the running job."""
        while not self._jobs.empty():
            self._jobs.get_nowait()
        self._jobs.put(None)
        self._thread.join(seconds)

    def _loop(self) -> None:
        wait = QUIET_SECONDS if self._idle is not None else None
        while True:
            try:
                job = self._jobs.get(timeout=wait)
            except queue.Empty:
                wait = self._use_quiet()
                continue
            if job is None:
                return
            self._do(job)
            wait = QUIET_SECONDS if self._idle is not None else None

    def _use_quiet(self) -> float:
        """Do some of what can wait; return how long to be quiet before the next."""
        more: list[bool] = []
        if self._idle is not None:
            idle = self._idle
            self._do(lambda: more.append(idle()))
        return 0.0 if any(more) else REST_SECONDS

    @staticmethod
    def _do(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - one bad job must not end the worker
            log.error("worker.job_failed type=%s", type(error).__name__)


class InlineWorker:
    """Runs each job at once on the caller's thread: tests and simulation."""

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        """Run `job` now."""
        pending: PendingJob[T] = PendingJob()
        pending.run(job)
        return pending

    def post(self, job: Callable[[], None]) -> None:
        """Run `job` now; errors pass."""
        job()

    def stop(self, seconds: float = 2.0) -> None:
        """Nothing to stop."""
