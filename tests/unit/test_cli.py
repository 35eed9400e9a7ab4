"""The command line answers quickly, in sentences, and with the right exit code."""

from __future__ import annotations

import errno
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk import __version__
from kiosk.cli import COMMANDS, ending, main
from kiosk.config.toml_file import FileUnreadable, WrongValue
from kiosk.core.exit_codes import ExitCode
from kiosk.directory.errors import Unreachable
from kiosk.simulation.rehearsal.scenario import shipped
from kiosk.texts import sentence
from storage.errors import StoreFull

HEAVY = ("textual", "rich", "ldap3", "smartcard", "tinydb", "cryptography", "msgspec")


def test_help_imports_nothing_that_it_does_not_show() -> None:
    script = (
        "import sys; from kiosk.cli import main; main(['--help']);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_nobody_typed_costs_nothing() -> None:
    script = (
        "import sys; from kiosk.cli import main; main(['demo', '--plain']);"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False", "Typer turns options by it"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == ExitCode.OK
    assert f"Usage: kiosk {name}" in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lifecycl"]) == ExitCode.USAGE
    assert "lifecycle" in capsys.readouterr().err


def test_a_missing_configuration_is_a_usage_error_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.toml"
    assert main(["doctor", "--config", str(missing)]) == ExitCode.USAGE
    assert str(missing) in capsys.readouterr().err


def test_an_error_in_what_was_typed_ends_with_2_and_a_failure_with_1() -> None:
    typed = WrongValue(file="/x", key="a.b", expected="a number")
    failed = StoreFull(path="/x")
    assert ending.report(typed, io.StringIO()) == ExitCode.USAGE
    assert ending.report(failed, io.StringIO()) == ExitCode.FAILED


def test_a_long_path_is_printed_whole() -> None:
    path = "/" + "a" * 200 + "/kiosk.toml"
    out = io.StringIO()
    ending.report(FileUnreadable(file=path, reason="no"), out)
    assert path in out.getvalue()


def test_a_path_cannot_reach_the_terminal_with_its_escape_sequences() -> None:
    out = io.StringIO()
    ending.report(FileUnreadable(file="/\x1b]52;c;aGk=\x07", reason="no"), out)
    assert "\x1b" not in out.getvalue()


def test_what_nobody_foresaw_is_logged_by_place_and_type_but_without_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    out = io.StringIO()
    try:
        int("123456x")  # a message that repeats what it was given
    except ValueError as error:
        with caplog.at_level(logging.ERROR):
            code = ending.report(error, out)
    assert code == ExitCode.UNEXPECTED
    assert "ValueError" in caplog.text
    assert "test_cli.py" in caplog.text
    assert "123456x" not in caplog.text + out.getvalue()


def test_an_administrator_reads_why_the_directory_was_not_to_be_had() -> None:
    out = io.StringIO()
    ending.report(Unreachable(dcs="dc1", reason="name_unknown"), out)
    assert "The name cannot be resolved." in out.getvalue()


def test_an_error_that_the_catalogue_lacks_is_still_named() -> None:
    class Odd(StoreFull):
        code = "registry.nobody_wrote_this"

    out = io.StringIO()
    ending.report(Odd(path="/x"), out)
    assert out.getvalue() == "registry.nobody_wrote_this\n"


def test_the_sentence_of_a_message_can_be_cut_for_a_narrow_screen() -> None:
    error = FileUnreadable(file="/" + "a" * 200, reason="no")
    assert len(sentence(error.message)) < 120


def test_the_version_is_told_in_every_usual_way() -> None:
    for way in (["-V"], ["--version"]):
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", *way],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"kiosk {__version__}\n"


@pytest.mark.parametrize("words", [["-V"], ["--help"], ["lifecycle"]])
def test_who_closes_the_output_is_told_nothing(words: list[str]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", *words],
        stdout=writes,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (ExitCode.UNREAD, b"")


def test_a_pipe_that_is_not_the_output_is_told_of(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr("typer.echo", broken)
    assert main(["lifecycle"]) == ExitCode.FAILED
    assert "Broken pipe" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("kiosk cred", ["credential"]),
        ("kiosk credential re", ["release", "resume", "retire", "revoke"]),
        ("kiosk doctor --acc", ["--account"]),
    ],
)
def test_a_shell_completes_commands_and_options(typed: str, offered: list[str]) -> None:
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "from kiosk.cli import main; main()"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **asked, "_KIOSK_COMPLETE": "complete_bash"},
    )
    assert sorted(done.stdout.split()) == offered


@pytest.mark.slow
def test_completing_a_command_imports_none() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-c",
            "from kiosk.cli import main; main()",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "COMP_WORDS": "kiosk ",
            "COMP_CWORD": "1",
            "_KIOSK_COMPLETE": "complete_bash",
        },
    )
    assert done.stdout.split() == list(COMMANDS)
    assert "kiosk.cli.doctor" not in done.stderr


@pytest.mark.slow
def test_doctors_table_stands_alone(tmp_path: Path) -> None:
    """What it found is in the table; no event of the program stands amid it."""
    kiosk = [sys.executable, "-m", "kiosk"]
    subprocess.run([*kiosk, "init", str(tmp_path / "s")], check=True, timeout=60)
    missing = str(tmp_path / "no.comm")
    done = subprocess.run(
        [*kiosk, "doctor", "--config", str(tmp_path / "s" / "kiosk.toml")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PCSCLITE_CSOCK_NAME": missing},
        timeout=60,
    )
    assert "FAIL    card service" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("init", ""), ("backup", "", "--keep", "3")])
def test_an_empty_word_names_nothing_and_nothing_is_done(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`kiosk init "$FOLDER"`, where FOLDER is not set."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == ExitCode.USAGE
    assert "Word 2 after kiosk is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_finds_the_disk_full_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (first, *_) = shipped()
    assert main(["rehearse", str(first), "-o", "/dev/full"]) == ExitCode.FAILED
    assert "/dev/full" in capsys.readouterr().err
