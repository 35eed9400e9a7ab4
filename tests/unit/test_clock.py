"""Time moves only when told to, except on the machine's own clocks."""

from __future__ import annotations

import datetime
import time

import pytest

from kiosk.core.clock import ManualClock, SystemClock


def test_a_manual_clock_stands_still() -> None:
    clock = ManualClock(1000.0)
    assert (clock.now(), clock.now()) == (1000.0, 1000.0)
    assert clock.monotonic() == clock.monotonic()


def test_time_that_passes_passes_on_both_clocks() -> None:
    clock = ManualClock(1000.0)
    began = clock.monotonic()
    clock.advance(90.0)
    assert clock.now() == 1090.0
    assert clock.monotonic() - began == 90.0


def test_sleeping_on_a_manual_clock_takes_no_time_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it slept"))
    clock = ManualClock(1000.0)
    clock.sleep(3600.0)
    assert clock.now() == 4600.0


def test_a_manual_clock_begins_in_the_morning_of_2026() -> None:
    began = datetime.datetime.fromtimestamp(ManualClock().now(), datetime.UTC)
    assert began == datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)


def test_the_system_clock_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "time", lambda: 12.0)
    monkeypatch.setattr(time, "monotonic", lambda: 34.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = SystemClock()
    clock.sleep(0.5)
    assert (clock.now(), clock.monotonic(), slept) == (12.0, 34.0, [0.5])
