"""One daemon thread, one job after the other, and nothing lost in silence."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Iterator

import pytest

from kiosk.core import workers
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker, PendingJob, SerialWorker

SOON = 10.0
"""Seconds after which something that should happen is taken to have failed."""


@pytest.fixture
def worker() -> Iterator[SerialWorker]:
    made = SerialWorker("card")
    yield made
    made.stop()


def fail() -> None:
    raise LookupError("PIN 271828")


def test_a_job_runs_on_the_workers_own_daemon_thread(worker: SerialWorker) -> None:
    ran_on = worker.submit(threading.current_thread).result()
    assert ran_on is not threading.current_thread()
    assert ran_on.daemon
    assert ran_on.name == "card"


def test_jobs_run_in_order_and_never_overlap(worker: SerialWorker) -> None:
    running: list[int] = []
    order: list[int] = []

    def job(number: int) -> None:
        running.append(number)
        assert running == [number]
        order.append(number)
        running.clear()

    pending = [worker.submit(functools.partial(job, each)) for each in range(50)]
    for each in pending:
        each.result()
    assert order == list(range(50))


def test_an_error_reaches_whoever_asked_and_ends_nothing(worker: SerialWorker) -> None:
    with pytest.raises(LookupError):
        worker.submit(fail).result()
    assert worker.submit(lambda: "still here").result() == "still here"


def test_an_error_nobody_waits_for_is_logged_by_type_alone(
    worker: SerialWorker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        worker.post(fail)
        assert worker.submit(lambda: "still here").result() == "still here"
    assert "LookupError" in caplog.text
    assert "271828" not in caplog.text


def test_a_result_that_is_not_there_yet_can_be_waited_for(worker: SerialWorker) -> None:
    gate = threading.Event()
    pending = worker.submit(lambda: gate.wait(SOON))
    assert not pending.wait(0)
    gate.set()
    assert pending.wait(SOON)
    assert pending.result() is True


@pytest.mark.parametrize("is_there", [False, True])
def test_what_nobody_waits_for_any_more_is_let_go_once(
    worker: SerialWorker, is_there: bool
) -> None:
    """Whether it came before or after nobody wanted it."""
    gate, gone = threading.Event(), threading.Event()
    let_go: list[str] = []
    pending = worker.submit(lambda: gate.wait(10.0) and "secret")
    if is_there:
        gate.set()
        assert pending.wait(10.0)

    def take(value: object) -> None:
        let_go.append(str(value))
        gone.set()

    pending.abandon(take)
    gate.set()
    assert gone.wait(10.0)
    assert pending.wait(10.0)
    assert let_go == ["secret"]
    assert pending.result() is None, "it is kept"


def test_stopping_drops_what_has_not_begun(worker: SerialWorker) -> None:
    began, gate = threading.Event(), threading.Event()
    late: list[str] = []

    def job() -> None:
        began.set()
        gate.wait(SOON)

    running = worker.submit(job)
    assert began.wait(SOON)
    worker.post(lambda: late.append("too late"))
    worker.stop(0)
    gate.set()
    running.result()
    worker.stop(SOON)
    assert late == []


def test_a_result_of_nothing_is_a_result(worker: SerialWorker) -> None:
    done = worker.submit(lambda: None)
    assert done.wait(SOON)
    done.result()


def test_what_can_wait_is_done_when_no_job_comes_and_as_long_as_more_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "QUIET_SECONDS", 0.01)
    left, done = [True, True, False], threading.Event()
    names: set[str] = set()

    def idle() -> bool:
        names.add(threading.current_thread().name)
        more = left.pop(0)
        if not left:
            done.set()
        return more

    made = SerialWorker("authority", idle)
    assert done.wait(SOON)
    assert made.submit(lambda: "still there").result() == "still there"
    assert names == {"authority"}
    made.stop()


def test_what_fails_while_nobody_waits_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "QUIET_SECONDS", 0.01)
    tried = threading.Event()

    def idle() -> bool:
        tried.set()
        raise LookupError("PIN 271828")

    made = SerialWorker("authority", idle)
    assert tried.wait(SOON)
    assert made.submit(lambda: 1).result() == 1
    made.stop()
    assert "LookupError" in caplog.text
    assert "271828" not in caplog.text


def test_inline_jobs_run_at_once_where_they_are_asked_for() -> None:
    inline = InlineWorker()
    assert inline.submit(threading.current_thread).result() is (
        threading.current_thread()
    )
    with pytest.raises(LookupError):
        inline.submit(fail).result()
    with pytest.raises(LookupError):
        inline.post(fail)
    inline.stop()


def test_what_is_pending_does_not_show_what_came(worker: SerialWorker) -> None:
    with Secret(b"271828") as secret:
        pending: PendingJob[bytes] = worker.submit(lambda: bytes(secret.reveal()))
        assert pending.wait(SOON)
        assert "271828" not in repr(pending)
