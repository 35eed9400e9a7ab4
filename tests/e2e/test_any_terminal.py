"""A visit on a terminal that stalls, crawls, shrinks or goes: it ends as it should."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.matrix.visitor import Visitor, visitor

from kiosk.core.exit_codes import ExitCode

pytestmark = pytest.mark.long

OLD, NEW = b"271828\r", b"314159\r"
BOUND = 64 * 1024
"""KiB that a program may grow by (it takes about 60,000 in all)."""


@pytest.fixture
def kiosk() -> Iterator[Visitor]:
    with visitor("kiosk") as it:
        it.settle()
        yield it


def memory(it: Visitor) -> int:
    """KiB in use now."""
    told = Path(f"/proc/{it.terminal.process.pid}/statm").read_text().split()
    return int(told[1]) * 4


def at_the_form(it: Visitor) -> None:
    """Alice has her card in and is asked for PINs."""
    it.ask("insert", situation="everyday")
    it.settle()
    assert it.type(b"\r") == "FormScreen"


def pin(it: Visitor) -> str:
    return str(it.facts()["cards"]["everyday"][0])


def test_a_field_that_is_gone_to_is_drawn_and_not_all_of_the_screen(
    kiosk: Visitor,
) -> None:
    at_the_form(kiosk)
    kiosk.written()
    kiosk.press(b"\t")
    kiosk.settle()
    drawn = kiosk.written().decode()
    assert "Your new PIN" in drawn
    assert "Alice Arnold" in kiosk.text()
    assert "Alice Arnold" not in drawn


def test_a_character_that_is_typed_draws_no_label_and_no_edge(kiosk: Visitor) -> None:
    at_the_form(kiosk)
    kiosk.press(b"2")
    kiosk.settle()
    kiosk.written()
    kiosk.press(b"7")
    kiosk.settle()
    drawn = kiosk.written().decode()
    assert "●" in drawn
    assert not set("┏┓┗┛━") & set(drawn)
    assert "Your PIN until now" not in drawn


# --- stalled ----------------------------------------------------------------------


def test_a_terminal_that_takes_nothing_does_not_hold_up_a_visit(kiosk: Visitor) -> None:
    at_the_form(kiosk)
    kiosk.terminal.is_stalled = True
    before = memory(kiosk)
    kiosk.type(b"\x1bOQ" * 60, OLD, NEW, NEW)
    assert kiosk.shown == "ResultScreen"
    assert pin(kiosk) == "314159"
    assert memory(kiosk) - before < BOUND
    kiosk.terminal.is_stalled = False
    text = kiosk.terminal.shows("Case number")
    assert "Your PIN and your Windows password are changed." in text


def test_a_card_leaves_a_stalled_terminal(kiosk: Visitor) -> None:
    at_the_form(kiosk)
    kiosk.terminal.is_stalled = True
    kiosk.type(b"\x1bOQ" * 60, b"2718")
    kiosk.ask("pull")
    while kiosk.settle() == "FormScreen":
        pass
    kiosk.terminal.is_stalled = False
    kiosk.terminal.until(lambda text: "Your PIN until now" not in text, "the form gone")
    assert kiosk.facts()["cards"]["everyday"] == ["271828", 3, 3]


def test_a_stalled_terminal_is_wiped_when_nobody_is_there() -> None:
    with visitor("kiosk", "leaving") as it:
        it.settle()
        it.terminal.is_stalled = True
        it.ask("insert", situation="everyday")
        while it.settle() != "MessageScreen forgotten":
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("face", ["kiosk", "desk", "plain"])
def test_a_program_ends_though_its_terminal_is_stalled(
    face: str, number: signal.Signals
) -> None:
    with visitor(face) as it:
        it.settle()
        it.terminal.is_stalled = True
        for _ in range(4):
            it.press(b"?\r" * 400 if face == "plain" else b"\x1b[B\x1b[A" * 400)
        it.terminal.process.send_signal(number)
        assert it.terminal.wait() in (ExitCode.OK, ExitCode.TERMINAL_GONE)


# --- gone -------------------------------------------------------------------------


@pytest.mark.parametrize("is_stalled", [False, True])
@pytest.mark.parametrize("face", ["kiosk", "desk", "plain"])
def test_a_program_ends_with_its_terminal(face: str, is_stalled: bool) -> None:
    with visitor(face) as it:
        it.settle()
        it.terminal.is_stalled = is_stalled
        it.press(b"?\r" * 400 if face == "plain" else b"\x1b[B\x1b[A" * 400)
        it.terminal.close_line()
        assert it.terminal.wait() in (ExitCode.OK, ExitCode.TERMINAL_GONE)


# --- slow -------------------------------------------------------------------------


def test_over_a_line_that_crawls_a_visit_is_what_was_typed(kiosk: Visitor) -> None:
    """One byte is taken for each key that is pressed: 300 baud, and faster typing."""
    at_the_form(kiosk)
    kiosk.terminal.is_stalled = True
    for byte in OLD + NEW + NEW:
        kiosk.press(bytes((byte,)))
        kiosk.terminal.take(1)
    kiosk.settle()
    assert pin(kiosk) == "314159"
    kiosk.terminal.is_stalled = False
    kiosk.terminal.shows("Your PIN and your Windows password are changed.")


# --- resized ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (79, 24), (80, 23), (20, 5)])
def test_what_was_typed_where_nothing_can_be_read_is_not_left_out_in_silence(
    kiosk: Visitor, size: tuple[int, int]
) -> None:
    at_the_form(kiosk)
    kiosk.type(OLD, b"314")
    kiosk.terminal.resize(*size)
    kiosk.settle()
    kiosk.type(b"0")
    kiosk.terminal.resize(80, 24)
    kiosk.settle()
    kiosk.type(b"159\r", NEW)
    assert pin(kiosk) == "271828"
    assert kiosk.facts()["writes"] == 0


def test_a_window_that_is_pulled_about_keeps_what_was_typed(kiosk: Visitor) -> None:
    at_the_form(kiosk)
    for size in ((120, 40), (200, 24), (80, 60), (80, 24)):
        kiosk.terminal.resize(*size)
        kiosk.settle()
    kiosk.type(OLD)
    kiosk.terminal.resize(100, 30)
    kiosk.settle()
    kiosk.type(NEW, NEW)
    assert pin(kiosk) == "314159"
    kiosk.terminal.shows("Your PIN and your Windows password are changed.")


@pytest.mark.parametrize("face", ["kiosk", "desk", "plain"])
def test_a_window_of_one_character_is_lived_through(face: str) -> None:
    with visitor(face, size=(1, 1)) as it:
        it.settle()
        it.type(b"\r", b"1", b"\x1b[B", b"?\r")
        it.terminal.resize(80, 24)
        it.settle()
        assert it.complaints() == []
        assert it.terminal.process.poll() is None


# --- believed ---------------------------------------------------------------------

REPORTS = (
    b"\x1b[48;24;79;9;9t",
    b"\x1b[48;0;0;0;0t",
    b"\x1b[48;200;200;9;9t",
    b"\x1b[8;2;2t",
    b"\x1b[1114112u",
    b"\x1b[?2048;1$y",
)


@pytest.mark.parametrize("report", REPORTS)
def test_no_report_is_believed_in_the_middle_of_a_pin(
    kiosk: Visitor, report: bytes
) -> None:
    at_the_form(kiosk)
    kiosk.type(OLD, b"314")
    drawn = len(kiosk.terminal.raw)
    kiosk.type(report)
    assert len(kiosk.terminal.raw) - drawn < 4096
    assert "too small" not in kiosk.text()
    kiosk.type(b"159\r", NEW)
    assert pin(kiosk) in ("314159", "271828")
