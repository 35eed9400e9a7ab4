"""What is printed goes to the site's command, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.core import site_command
from kiosk.core.errors import Message
from kiosk.faces.receipt import NotPrinted, print_page, print_text
from kiosk.simulation.face_settings import SETTINGS


def test_the_text_goes_to_the_commands_input(tmp_path: Path) -> None:
    paper = tmp_path / "paper"
    print_text(["tee", str(paper)], "Ihre PIN wurde geändert.\n")
    assert paper.read_text("utf-8") == "Ihre PIN wurde geändert.\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [(["false"], "exit code 1"), (["/nowhere/lp"], "No such file or directory")],
)
def test_a_command_that_fails_is_named(command: list[str], reason: str) -> None:
    with pytest.raises(NotPrinted) as caught:
        print_text(command, "text")
    assert caught.value.data == {"command": command[0], "reason": reason}


def test_where_there_is_no_command_nothing_is_printed() -> None:
    with pytest.raises(NotPrinted) as caught:
        print_text([], "text")
    assert caught.value.data == {"command": "", "reason": "there is no command"}
    assert print_page(SETTINGS, "text") == Message("printing.not_done")


def test_a_printer_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_command, "SECONDS", 0.2)
    with pytest.raises(NotPrinted):
        print_text(["sleep", "30"], "text")
