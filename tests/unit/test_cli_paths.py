"""Every path that a command takes may be wrong in every way: a sentence, and 1 or 2.

The table is made from the commands themselves, so that a new one is tried as well.
"""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kiosk.cli import COMMANDS, main
from kiosk.core.exit_codes import ExitCode

pytestmark = pytest.mark.slow

Call = tuple[str, ...]
"""A command line with WRONG where the wrong path goes, and GOOD where a right one."""
WRONG, GOOD = "WRONG", "GOOD"
NOT_HERE = {"run", "plain", "demo"}
"""They want a terminal first; tried on one elsewhere."""


def calls() -> Iterator[Call]:
    """Each command once for each of its paths."""
    for name in COMMANDS:
        if name not in NOT_HERE:
            module = importlib.import_module(f"kiosk.cli.{name}")
            command = typer.main.get_command(module.app)
            yield from _calls((name,), command)


def _calls(names: Call, command: Any) -> Iterator[Call]:
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            yield from _calls((*names, name), each)
        return
    for wrong in filter(_is_path, command.params):
        words = (_words(it, is_wrong=it is wrong) for it in command.params)
        yield (*names, *itertools.chain.from_iterable(words))


def _is_path(parameter: Any) -> bool:
    described = getattr(parameter, "type_descriptor", None)
    return described is not None and described.annotation in (Path, list[Path])


def _words(parameter: Any, *, is_wrong: bool) -> Call:
    if not is_wrong and not parameter.required:
        return ()
    value = (WRONG if is_wrong else GOOD) if _is_path(parameter) else "x"
    option = parameter.opts[-1]
    return (option, value) if option.startswith("-") else (value,)


CALLS = list(calls())
KINDS = ("no folder", "a file as folder", "a folder", "refused", "full", "no text")
MAY_WORK = {
    *(("init", "no folder"), ("init", "a folder"), ("backup", "no folder")),
    *(("units", kind) for kind in KINDS),
}
"""Where the path is right after all: folders that are made or named only."""
NOTHING_THERE: dict[Call, ExitCode] = {
    ("audit", "verify", "--archive"): ExitCode.UNANCHORED,
    ("registry", "repair", "--from"): ExitCode.OK,
}
"""What is looked for in a folder is not needed: it ends as if none were named."""


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station")
    assert main(["init", str(folder)]) == ExitCode.OK
    return folder


def wrong_path(folder: Path, kind: str) -> Path:
    """A path that is wrong in this way; as root nothing in our own is refused."""
    (folder / "file").write_bytes(b"\xff\x00\x80 not text")
    return {
        "no folder": folder / "none" / "x",
        "a file as folder": folder / "file" / "x",
        "a folder": folder,
        "refused": Path("/sys/kernel/refused"),
        "full": Path("/dev/full"),
        "no text": folder / "file",
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_wrong_path_is_a_sentence(
    call: Call,
    kind: str,
    station: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = next(station.glob("**/*.toml"))
    monkeypatch.setenv("PIN_KIOSK_CONFIG", str(config))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "here"
    folder.mkdir()
    paths = {WRONG: str(wrong_path(folder, kind)), GOOD: str(tmp_path / "good")}
    code = main([paths.get(word, word) for word in call])
    told = capfd.readouterr()
    allowed = {ExitCode.FAILED, ExitCode.USAGE}
    if (call[0], kind) in MAY_WORK:
        allowed.add(ExitCode.OK)
    if kind == "a folder" and call[:3] in NOTHING_THERE:
        allowed = {NOTHING_THERE[call[:3]]}
    assert code in allowed, told.err
    assert "Traceback" not in told.err
    assert code == ExitCode.OK or told.err.strip() or told.out.strip()


@pytest.mark.parametrize("command", [["lifecycle"], ["--help"], ["units"]])
def test_output_that_cannot_be_written_is_a_sentence(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("kiosk")), *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == ExitCode.FAILED
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
