"""The kiosk on a real pseudo-terminal: signals, hang-up, crash, and no way out."""

from __future__ import annotations

import signal
import sys
import textwrap
from pathlib import Path

import pytest
from lab.terminal import terminal

KIOSK = str(Path(sys.executable).with_name("kiosk"))
DEMO = [KIOSK, "demo"]
SHOW_CURSOR = b"\x1b[?25h"
LEAVE_SCREEN = b"\x1b[?1049l"
MOUSE = (b"\x1b[?1000h", b"\x1b[?1003h")


def test_the_demo_shows_itself_and_ends_with_its_key() -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.type("\x1b[21~")  # F10
        assert shown.wait() == 0
        assert LEAVE_SCREEN in shown.raw
        assert SHOW_CURSOR in shown.raw
        assert not any(mouse in shown.raw for mouse in MOUSE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_screen_restored(number: signal.Signals) -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.process.send_signal(number)
        assert shown.wait() == 0
        assert LEAVE_SCREEN in shown.raw


def test_it_cannot_be_stopped_in_the_background() -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.process.send_signal(signal.SIGTSTP)
        shown.type("\x1b[15~")  # F5
        shown.shows("Alice Arnold")


def test_no_control_key_ends_it() -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.type("\x03\x1a\x1c\x11\x10\x04")
        shown.type("\x1b[15~")  # F5
        shown.shows("Alice Arnold")


def test_a_terminal_that_is_gone_ends_it() -> None:
    with terminal(DEMO) as shown:
        shown.shows("Insert your card")
        shown.close_line()
        assert shown.wait() in (0, 75, 1, -signal.SIGHUP)


def test_a_crash_prints_no_values_and_is_told_by_the_exit_code(tmp_path: Path) -> None:
    program = tmp_path / "crash.py"
    program.write_text(
        textwrap.dedent(
            """
            import sys
            from kiosk.tui.environment import harden
            harden()
            from kiosk.rehearsal.demo import Demo
            from kiosk.tui.app import KioskApp, run
            def crash(self):
                pin = bytearray(b"8462571")
                raise RuntimeError(pin.decode())
            KioskApp._ask_health = crash
            sys.exit(run(Demo().world))
            """
        )
    )
    with terminal([sys.executable, str(program)]) as shown:
        code = shown.wait(30)
        assert code == 1
        assert b"8462571" not in shown.raw


def test_without_a_terminal_the_demo_says_what_to_do_instead() -> None:
    import subprocess

    done = subprocess.run(
        DEMO, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "rehearse --tour" in done.stderr
