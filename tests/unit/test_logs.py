"""Log lines go where nobody at the kiosk sees them."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.logs import Json, LogNotWritable, request, set_up


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


# --- as JSON ---------------------------------------------------------------------


def line(
    template: str, *told: object, logger: str = "kiosk.x", exc_info: object = None
) -> dict[str, object]:
    """What one line is as JSON, without when and where it was said."""
    record = logging.LogRecord(
        logger,
        logging.WARNING,
        "x.py",
        1,
        template,
        told,
        exc_info,  # type: ignore[arg-type]  # as logging takes it
    )
    said = json.loads(Json().format(record))
    assert said.pop("time").endswith("Z")
    assert said.pop("level") == "warning"
    assert said.pop("logger") == logger
    return dict(said)


def test_a_line_has_the_fields_that_its_template_names() -> None:
    assert line("write.not_recorded operation=%s code=%s", "o-1", "registry.full") == {
        "event": "write.not_recorded",
        "operation": "o-1",
        "code": "registry.full",
    }
    assert line("registry.older lost=%d", 3) == {"event": "registry.older", "lost": 3}
    assert line("service.ready") == {"event": "service.ready"}


def test_a_field_that_is_not_known_here_is_left_out() -> None:
    assert line("visit.failed pin=%s code=%s", "271828", "x.y") == {
        "event": "visit.failed",
        "code": "x.y",
    }


def test_what_is_told_adds_no_field_and_no_line() -> None:
    told = 'x" , "level":"error" code=forged\noperation=forged'
    assert line("visit.failed code=%s", told) == {"event": "visit.failed", "code": told}


def test_what_another_library_says_is_not_repeated() -> None:
    said = line("bind as %s with %s", "svc", "geheim", logger="ldap3")
    assert said == {"event": "library"}


def test_the_number_of_an_event_and_where_an_error_came_from() -> None:
    said = line("service.failed_inside event=%s %s", "0aff", "type=X at=a.py:1 f")
    assert said == {
        "event": "service.failed_inside",
        "number": "0aff",
        "where": "type=X at=a.py:1 f",
    }


def test_an_exception_is_told_by_its_type_alone() -> None:
    try:
        int("271828x")
    except ValueError as error:
        said = line("cli.unexpected", exc_info=(type(error), error, None))
    assert said == {"event": "cli.unexpected", "type": "ValueError"}


def test_a_line_names_the_request_it_belongs_to() -> None:
    with request("r1"):
        assert line("registry.older lost=%d", 1)["request"] == "r1"
    assert "request" not in line("registry.older lost=%d", 1)


def test_every_line_of_a_log_of_json_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.log"
    set_up(file, as_json=True)
    logging.getLogger("kiosk.x").info("card.inserted")
    logging.getLogger("kiosk.x").error("visit.failed type=%s\n%s", "X", "a.py\nb.py")
    lines = [json.loads(each) for each in file.read_text().splitlines()]
    assert [each["event"] for each in lines] == ["card.inserted", "visit.failed"]
