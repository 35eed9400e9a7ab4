"""Log lines go where nobody at the kiosk sees them."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.logs import LogNotWritable, set_up


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_log_file_is_private_and_grows(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.log"
    for event in ("card.inserted", "card.left"):
        set_up(file)
        logging.getLogger("kiosk.x").info(event)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line.split()[-1] for line in file.read_text().splitlines()] == [
        "card.inserted",
        "card.left",
    ]


def test_without_a_file_lines_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(None)
    logging.getLogger("kiosk.x").info("card.inserted")
    assert "card.inserted" in capsys.readouterr().err


def test_where_standard_error_is_the_screen_nothing_is_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    set_up(None)
    logging.getLogger("kiosk.x").info("card.inserted")
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_is_told_before_anything_starts(
    tmp_path: Path,
) -> None:
    with pytest.raises(LogNotWritable):
        set_up(tmp_path / "none" / "kiosk.log")
