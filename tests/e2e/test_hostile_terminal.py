"""Whatever a terminal sends, claims or fails to do, the kiosk stays and stays right."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.terminal import kiosk_on_terminal
from lab.terminal.terminal import Terminal, terminal

from kiosk.core.exit_codes import ExitCode

Opened = Callable[..., AbstractContextManager[Terminal]]

QUERIES = (b"\x1b[?2026$p", b"\x1b[?2048$p", b"\x1b[6n", b"\x1b[c", b"\x1b[>25u")
MODES = (b"\x1b[?1000h", b"\x1b[?1003h", b"\x1b[?1004h", b"\x1b[?2048h")

SENT = {
    "a character that does not exist": b"\x1b[1114112u",
    "a number without end": b"\x1b[" + b"9" * 3000 + b"u",
    "sizes": b"\x1b[48;24;79;9;9t\x1b[48;0;0;0;0t\x1b[48;200;200;9;9t",
    "a position, modes, focus": b"\x1b[7;7R\x1b[?2048;1$y\x1b[?2026;1$y\x1b[O\x1b[I",
    "a mouse": b"\x1b[<0;40;12M\x1b[<0;40;12m\x1b[M !!",
    "strings that do not end": b"\x1b]0;\x1bP\x1b_" + b"x" * 2000 + b"\x1b\\",
    "a paste that does not end": b"\x1b[200~1234",
    "broken text": b"\xff\xfe\xc3\x28\xed\xa0\x80\xf4\x90\x80\x80\x9b\x81",
    "everything": bytes(range(32)) * 20 + bytes(range(127, 256)) * 20,
}


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Open the kiosk on a fake station, in one of its situations."""
    program = str(Path(kiosk_on_terminal.__file__))
    log = str(tmp_path / "kiosk.log")
    return lambda situation="", size=(80, 24): terminal(
        [sys.executable, program, log, situation], size=size
    )


@pytest.mark.parametrize("data", SENT.values(), ids=list(SENT))
def test_nothing_that_is_sent_ends_or_confuses_it(opened: Opened, data: bytes) -> None:
    with opened() as shown:
        shown.shows("Insert your card")
        before = shown.shows("C  contrast")
        shown.send(data)
        time.sleep(0.6)  # what has not ended is given up
        shown.until(lambda text: text == before, "what was shown before")
        assert shown.end() == ExitCode.OK


def test_a_sequence_typed_by_hand_does_not_end_it(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        for key in ("\x1b[", *"1114112", "u"):
            shown.type(key)
            time.sleep(0.08)
        shown.type("\r")
        shown.shows("Your PIN until now")
        assert shown.end() == ExitCode.OK


def test_it_asks_the_terminal_for_nothing(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        assert shown.end() == ExitCode.OK
        assert not any(each in shown.raw for each in (*QUERIES, *MODES))


def test_its_size_is_what_the_system_says(opened: Opened) -> None:
    with opened() as shown:
        shown.shows("Insert your card")
        shown.resize(60, 20)
        shown.shows("too small")
        shown.send(b"\x1b[48;50;160;9;9t")
        shown.resize(100, 30)
        shown.shows("Insert your card")


@pytest.mark.parametrize("size", [(0, 0), (65535, 65535)])
def test_a_size_that_cannot_be_is_drawn_within_reason(
    opened: Opened, size: tuple[int, int]
) -> None:
    with opened() as shown:
        shown.shows("Insert your card")
        written = len(shown.raw)
        shown.resize(*size)
        time.sleep(1.0)
        shown.text()
        assert len(shown.raw) - written < 2_000_000
        shown.resize(80, 24)
        shown.shows("Insert your card")
        assert shown.end() == ExitCode.OK


def test_escape_alone_is_a_key(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        shown.type("\r")
        shown.shows("Your PIN until now")
        shown.type("\x1b")
        shown.shows("Change my PIN")


def test_keys_arrive_at_any_speed(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Alice Arnold")
        for byte in b"\x1b[B\x1b[A\r":
            shown.send(bytes([byte]))
            time.sleep(0.05)
        shown.shows("Your PIN until now")


def test_a_defect_of_what_reads_keys_refuses_an_entry_and_ends_nothing(
    opened: Opened,
) -> None:
    with opened("forgetful") as shown:
        shown.shows("Alice Arnold")
        shown.type("\r")
        shown.shows("Your PIN until now")
        shown.type("2718")
        shown.shows("●●●●")
        shown.type("!")
        shown.shows("●●●●●")
        shown.type("28\r")
        shown.shows("Keys that cannot be used here: 1.")
        assert shown.end() == ExitCode.OK
