"""What was typed, and cannot be done, is told as what it is, and before it is begun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal

from kiosk.cards.values import ServiceLost
from kiosk.cli import main
from kiosk.core.exit_codes import ExitCode
from kiosk.directory.errors import Unreachable


def test_a_broken_scenario_is_found_before_anything_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("title = 1")
    monkeypatch.setattr("kiosk.simulation.rehearsal.runner.play", never)
    assert main(["rehearse", "--tour", str(broken)]) == ExitCode.USAGE
    assert str(broken) in capsys.readouterr().err


def never(*_: object, **__: object) -> None:
    raise AssertionError


def test_a_report_that_cannot_be_written_is_found_before_anything_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.simulation.rehearsal.runner.play", never)
    report = tmp_path / "nowhere" / "report"
    assert main(["rehearse", "--tour", "-o", str(report)]) == ExitCode.USAGE
    assert "No such file or directory" in capsys.readouterr().err


def test_a_card_service_that_is_away_is_told_to_whoever_typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_denied, advice in ((False, "systemctl start pcscd"), (True, "polkit")):
        monitor = Lost(ServiceLost("no service", is_denied=is_denied))
        monkeypatch.setattr("kiosk.bootstrap.any_monitor", lambda m=monitor, **_: m)
        assert main(["card", "info"]) == ExitCode.FAILED
        said = capsys.readouterr().err
        assert advice in said
        assert "helpdesk" not in said


class Lost:
    """A monitor without a card service."""

    def __init__(self, event: ServiceLost) -> None:
        self._event = event

    def start(self, emit: Callable[[ServiceLost], None]) -> None:
        emit(self._event)

    def stop(self) -> None:
        """There is nothing to stop."""


def test_a_backup_that_is_not_there_is_not_called_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(tmp_path / "kiosk.toml")
    wrong = tmp_path / "wrong"
    assert main(["restore", str(wrong), "--config", config]) == ExitCode.FAILED
    assert "There is no folder" in capsys.readouterr().err
    wrong.mkdir()
    assert main(["restore", str(wrong), "--config", config]) == ExitCode.FAILED
    assert "is no backup of this program" in capsys.readouterr().err


@pytest.mark.parametrize("is_file", [True, False])
def test_a_folder_of_keys_that_is_none_is_said_before_anything_is_looked_at(
    terminal: Terminal, *, is_file: bool
) -> None:
    made, keys = terminal.folder / "made", terminal.folder / "keys"
    assert terminal.type("backup", str(made))[0] == 0
    if is_file:
        keys.touch()
    before = sorted(terminal.folder.rglob("*"))
    code, out, err = terminal.type("restore", str(made), "--keys", str(keys))
    assert (code, out) == (ExitCode.FAILED, "")
    assert err == f"There is no folder {keys}. Nothing was restored.\n"
    assert sorted(terminal.folder.rglob("*")) == before


def test_the_doctor_refuses_a_lifecycle_that_no_station_begins_with(
    terminal: Terminal,
) -> None:
    terminal.configure("lifecycle", 'removed = ["retire nowhere"]')
    terminal.sign_in("administrator")
    code, _, said = terminal.type("doctor")
    assert code == ExitCode.USAGE
    assert "'retire nowhere'" in said


def test_a_version_that_a_template_never_had_is_told_as_that(
    terminal: Terminal,
) -> None:
    terminal.sign_in("administrator")
    code, _, said = terminal.type("template", "export", "staff", "--version", "9")
    assert code == ExitCode.USAGE
    assert "no version 9 of the template 'staff'. The newest is 1." in said
    code, _, said = terminal.type("template", "export", "stuff", "--version", "1")
    assert "no version" not in said


def test_why_a_domains_policy_is_not_known_is_told_in_words(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unreachable(dcs="dc1", reason="refused")

    monkeypatch.setattr(terminal.domain, "connect", away)
    monkeypatch.setattr("kiosk.simulation.rehearsal.what_if.scenarios", lambda _: [])
    _, _, said = terminal.type_bare("rehearse", "--against", str(terminal.file))
    assert "not known. The connection was refused: nothing listens" in said
    assert "directory." not in said
