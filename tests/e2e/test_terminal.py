"""The kiosk on a real pseudo-terminal: signals, hang-up, crash, and no way out."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.terminal import kiosk_on_terminal
from lab.terminal.kiosk_on_terminal import NOISE
from lab.terminal.terminal import Terminal, terminal

from kiosk.core.exit_codes import ExitCode

KIOSK = str(Path(sys.executable).with_name("kiosk"))
DEMO = [KIOSK, "demo"]
SHOW_CURSOR = b"\x1b[?25h"
LEAVE_SCREEN = b"\x1b[?1049l"
MOUSE = (b"\x1b[?1000h", b"\x1b[?1003h")
F3, F5, F10 = "\x1bOR", "\x1b[15~", "\x1b[21~"

Opened = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.log"


@pytest.fixture
def opened(log: Path) -> Opened:
    """Open the kiosk on a fake station, in one of its situations."""
    program = str(Path(kiosk_on_terminal.__file__))
    return lambda situation="": terminal([sys.executable, program, str(log), situation])


def test_the_demo_shows_itself_and_ends_with_its_key() -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.shows("F10")
        shown.type(F5)
        shown.shows("Alice Arnold")
        shown.shows("Change my PIN")
        shown.type(F10)
        assert shown.wait() == ExitCode.OK
        assert LEAVE_SCREEN in shown.raw
        assert SHOW_CURSOR in shown.raw


def test_without_a_terminal_the_demo_says_what_to_do_instead() -> None:
    done = subprocess.run(
        DEMO, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.FAILED
    assert "rehearse --tour" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_screen_restored(
    opened: Opened, number: signal.Signals
) -> None:
    with opened() as shown:
        shown.shows("Insert your card")
        shown.process.send_signal(number)
        assert shown.wait() == ExitCode.OK
        assert LEAVE_SCREEN in shown.raw
        assert SHOW_CURSOR in shown.raw


def test_it_cannot_be_stopped_from_outside(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        shown.process.send_signal(signal.SIGTSTP)
        shown.type("\r")
        shown.shows("Your PIN until now")


def test_no_control_key_leaves_it(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        shown.type("\x03\x1a\x1c\x11\x10\x04" + F10)
        shown.type("\r")
        shown.shows("Your PIN until now")


def test_it_asks_for_no_mouse_and_writes_no_clipboard(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        shown.type("\r")
        shown.shows("Your PIN until now")
        shown.type("271828\x03\x18")
        shown.shows("●●●●●●")
        assert not any(mouse in shown.raw for mouse in MOUSE)
        assert b"\x1b]52" not in shown.raw


def test_a_hang_up_ends_it(opened: Opened) -> None:
    with opened() as shown:
        shown.shows("Insert your card")
        shown.close_line()
        assert shown.wait() == ExitCode.TERMINAL_GONE


def test_a_terminal_that_is_gone_without_a_word_ends_it(opened: Opened) -> None:
    with opened("deaf") as shown:
        shown.shows("Insert your card")
        shown.close_line()
        assert shown.wait() == ExitCode.TERMINAL_GONE


def test_what_a_library_writes_is_not_drawn_into_the_picture(opened: Opened) -> None:
    with opened("noisy") as shown:
        shown.shows("Insert your card")
        shown.process.send_signal(signal.SIGTERM)
        assert shown.wait() == ExitCode.OK
        assert NOISE.strip() not in shown.raw


def test_a_defect_tells_nobody_what_was_typed(opened: Opened, log: Path) -> None:
    with opened("crashing") as shown:
        shown.shows("Alice Arnold")
        shown.type("\r")
        shown.shows("Your PIN until now")
        shown.type("846257")
        shown.shows("●●●●●●")
        shown.type(F3)
        assert shown.wait() == ExitCode.UNEXPECTED
        assert LEAVE_SCREEN in shown.raw
    assert b"846257" not in shown.raw
    assert b"Traceback" not in shown.raw
    written = log.read_text()
    assert "ui.unhandled RuntimeError" in written
    assert "in crash" in written
    assert "846257" not in written
