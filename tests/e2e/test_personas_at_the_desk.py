"""What operators come for, on a real terminal, reading only what they can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.matrix.keys import ENTER, ESCAPE, F2
from lab.matrix.visitor import Visitor, visitor

DOWN, PAGE_DOWN, UNDO, F12 = b"\x1b[B", b"\x1b[6~", b"\x1a", b"\x1b[24~"
POINTER = "▸"


@pytest.fixture
def desk() -> Iterator[Visitor]:
    with visitor("desk") as it:
        it.settle()
        yield it


def begun(it: Visitor, page: str, said: str) -> None:
    """Somebody has gone to that page, and reads it."""
    it.ask("anew")
    it.ask("open", page=page)
    reads(it, said)
    it.settle()


def reads(it: Visitor, text: str) -> None:
    it.terminal.until(lambda now: text in now, text)


def pointed_at(it: Visitor) -> str:
    """Return the line that the cursor points at."""
    lines = [line for line in it.text().splitlines() if f" {POINTER}" in line]
    assert len(lines) == 1, it.text()
    return lines[0].partition(POINTER)[2].strip()


def test_an_agent_finds_somebody_among_five_thousand(desk: Visitor) -> None:
    begun(desk, "menu", "Out of step")
    desk.ask("crowd", count=5_000)
    desk.type(b"ad.test jorg")
    reads(desk, "Jörg 00000")
    for _ in range(3):
        desk.type(PAGE_DOWN)
    name = pointed_at(desk)[: len("Jörg 00000")]
    assert name > "Jörg 00020"
    desk.type(ENTER)
    reads(desk, "It may become")
    assert name in desk.text(), "the one that was pointed at"
    desk.type(ESCAPE)
    reads(desk, "jorg")
    assert name in pointed_at(desk), "the same place"
    desk.type(ESCAPE, b"p04999", ENTER)
    reads(desk, "Jörg 04999")
    desk.type(F12)
    reads(desk, "Put your own card into the reader")
    assert "Jörg" not in desk.text()


def test_an_officer_corrects_two_lines_of_a_batch(
    desk: Visitor, tmp_path: Path
) -> None:
    people = tmp_path / "p.csv"
    people.write_text("account,template\nalice,staff\nnobody,staff\nbob,none\n")
    begun(desk, "batch", "Every line is checked")
    desk.type(str(people).encode(), ENTER)
    reads(desk, "2 lines of")
    reads(desk, "The directory has no account nobody")
    reads(desk, "There is no template none")
    assert not (tmp_path / "p.results.csv").exists(), "nothing was begun"
    people.write_text("account,template\nalice,staff\ncarol,staff\nbob,staff\n")
    desk.type(ENTER)
    reads(desk, "Next: Alice Arnold")
    desk.press(3 * b"\x1b[27u")  # Esc as such: of bare ones in a row one is taken
    reads(desk, "The batch is not finished")
    assert "Next: Alice Arnold" in desk.text(), "leaning on Esc ends nothing"


def test_an_administrator_makes_a_template_that_no_pin_can_satisfy(
    desk: Visitor,
) -> None:
    begun(desk, "template, edited", "Cards in use")
    desk.type(PAGE_DOWN, PAGE_DOWN, DOWN, DOWN, b"\x7f", b"9")
    reads(desk, "was 6")
    desk.type(F2)
    reads(desk, "no PIN can be this long")
    assert "was 6" in desk.text(), "what was typed is still there"
    desk.type(UNDO)
    assert "was 6" not in desk.text()
    assert desk.facts()["templates"]["staff"] == 1


def test_an_auditor_looks_for_what_happened(desk: Visitor) -> None:
    begun(desk, "evidence", "Evidence, the newest")
    desk.type(b"issue alice")
    reads(desk, "Card issued")
    assert "Bob" not in desk.text()
    desk.type(ENTER)
    reads(desk, "Alice Arnold")
    begun(desk, "risk", "Risk report")
    reads(desk, "no lockout")
    desk.type(ENTER)
    reads(desk, "It may become")
