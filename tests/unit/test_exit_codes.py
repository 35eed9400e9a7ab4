"""Exit codes are a promise to scripts and service managers."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.cli import COMMANDS
from kiosk.core.exit_codes import ExitCode


def test_the_numbers_are_those_that_scripts_rely_on() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "UNANCHORED": 3,
        "UNEXPECTED": 70,
        "TERMINAL_GONE": 75,
        "INTERRUPTED": 130,
        "UNREAD": 141,
    }


def test_the_middle_ones_are_those_of_sysexits() -> None:
    assert ExitCode.UNEXPECTED == os.EX_SOFTWARE
    assert ExitCode.TERMINAL_GONE == os.EX_TEMPFAIL


def test_every_code_and_every_command_is_documented() -> None:
    document = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
    assert all(f"| {code.value} |" in document for code in ExitCode)
    assert all(f"| `kiosk {name}` |" in document for name in COMMANDS)
