"""A terminal that takes nothing, or little, stops neither the kiosk nor its end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.terminal import kiosk_on_terminal, plain_on_terminal
from lab.terminal.terminal import Terminal, terminal

from kiosk.core.exit_codes import ExitCode

pytestmark = pytest.mark.long

Opened = Callable[..., AbstractContextManager[Terminal]]
LEAVE_SCREEN = b"\x1b[?1049l"
FULL = 15
"""Visits whose screens no pseudo-terminal has room for: about 400 kB, it takes 64."""
MANY = 40
"""Visits in which what is held for nobody would add up."""
MOST_GROWTH = 24 << 20
"""Bytes that are held, once what nobody holds was collected."""
MOST_LATE = 150_000
"""Bytes of what was that a terminal is still shown: the system's, and a screen."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.log"


@pytest.fixture
def opened(log: Path) -> Opened:
    """Open the kiosk on a fake station, in one of its situations."""
    program = str(Path(kiosk_on_terminal.__file__))
    return lambda situation: terminal([sys.executable, program, str(log), situation])


@pytest.fixture
def plain(log: Path) -> Opened:
    """Open the plain kiosk on a fake station, in one of its situations."""
    program = str(Path(plain_on_terminal.__file__))
    return lambda situation: terminal(
        [sys.executable, program, str(log), situation], size=(100, 120)
    )


def wait_for_visits(log: Path, count: int, what: str = "visit.begun") -> None:
    """Wait, without reading the terminal, until so many visits have begun."""
    seen, deadline = 0, time.monotonic() + 30
    while (now := log.read_text().count(what)) < count:
        if now > seen:
            seen, deadline = now, time.monotonic() + 30
        assert time.monotonic() < deadline, "the kiosk has stopped"
        time.sleep(0.05)


def test_it_goes_on_unread_and_shows_what_is_when_read_again(
    opened: Opened, log: Path
) -> None:
    with opened("busy") as shown:
        shown.shows("Card PIN kiosk")
        wait_for_visits(log, MANY)
        before = held(shown, log, 1)
        wait_for_visits(log, 3 * MANY)
        assert held(shown, log, 2) - before < MOST_GROWTH
        shown.process.send_signal(signal.SIGUSR1)
        wait_for_quiet(log)
        taken = len(shown.raw)
        shown.until(
            lambda now: "C  contrast" in now and "Insert your card" in now, "the screen"
        )
        assert "Alice" not in shown.text()
        assert len(shown.raw) - taken < MOST_LATE
        assert shown.end() == ExitCode.OK


def held(shown: Terminal, log: Path, time: int) -> int:
    """Let the program collect for the nth `time`; return what is in memory then."""
    shown.process.send_signal(signal.SIGUSR2)
    wait_for_visits(log, time, "garbage.collected")
    return shown.memory()


def wait_for_quiet(log: Path) -> None:
    """Wait until no visit has begun for a while."""
    before = -1
    while (now := log.read_text().count("visit.begun")) != before:
        before = now
        time.sleep(0.5)


def test_who_is_idle_is_forgotten_unread(opened: Opened, log: Path) -> None:
    with opened("impatient") as shown:
        shown.shows("Alice Arnold")
        shown.stop_reading()
        wait_for_visits(log, 1, "visit.closed")
        shown.go_on_reading()
        shown.until(
            lambda text: "take your card" in text and "Alice" not in text, "the end"
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_unread_and_the_terminal_finds_its_last_words(
    opened: Opened, log: Path, number: signal.Signals
) -> None:
    with opened("busy") as shown:
        shown.shows("Card PIN kiosk")
        wait_for_visits(log, FULL)
        shown.process.send_signal(number)
        assert shown.wait_unread() == ExitCode.OK
        shown.text()
        assert shown.raw.endswith(b"\x1b[?25h")
        assert LEAVE_SCREEN in shown.raw


def test_it_ends_when_a_terminal_goes_that_did_not_read(
    opened: Opened, log: Path
) -> None:
    with opened("busy") as shown:
        shown.shows("Card PIN kiosk")
        wait_for_visits(log, FULL)
        shown.close_line()
        assert shown.wait_unread() == ExitCode.TERMINAL_GONE


def test_a_slow_terminal_is_shown_what_is_and_not_all_that_was(
    opened: Opened, log: Path
) -> None:
    with opened("busy") as shown:
        shown.shows("Card PIN kiosk")
        for _ in range(150):
            shown.read_a_little(30)
            time.sleep(0.02)
        wait_for_visits(log, FULL)
        shown.process.send_signal(signal.SIGUSR1)
        wait_for_quiet(log)
        taken = len(shown.raw)
        shown.shows("Insert your card")
        shown.shows("C  contrast")
        assert len(shown.raw) - taken < MOST_LATE
        assert shown.end() == ExitCode.OK


@pytest.mark.parametrize("situation", ["pulled", "impatient"])
def test_in_plain_a_card_that_goes_and_idle_time_end_a_visit_unread(
    plain: Opened, log: Path, situation: str
) -> None:
    with plain(situation) as shown:
        shown.shows("Your number:")
        shown.stop_reading()
        shown.type("1\r2718")
        wait_for_visits(log, 1, "visit.closed")
        shown.go_on_reading()
        headline = "Insert your card" if situation == "pulled" else "take your card"
        shown.shows(headline)
        assert shown.end() == ExitCode.OK


def test_in_plain_it_ends_unread(plain: Opened) -> None:
    with plain("inserted") as shown:
        shown.shows("Your number:")
        shown.stop_reading()
        shown.type("?\r" * 500)
        shown.process.send_signal(signal.SIGTERM)
        assert shown.wait_unread() == ExitCode.OK


def test_in_plain_it_ends_when_a_terminal_goes_that_did_not_read(plain: Opened) -> None:
    with plain("inserted") as shown:
        shown.shows("Your number:")
        shown.stop_reading()
        shown.type("?\r" * 500)
        shown.close_line()
        assert shown.wait_unread() == ExitCode.TERMINAL_GONE


def test_in_plain_the_last_that_was_said_is_read_in_the_end(plain: Opened) -> None:
    with plain("inserted") as shown:
        shown.shows("Your number:")
        shown.stop_reading()
        shown.type("?\r" * 500 + "1\r")
        before = len(shown.raw)
        shown.await_keys_taken()
        shown.go_on_reading()
        shown.shows("Your PIN until now")
        assert len(shown.raw) - before < 40_000
