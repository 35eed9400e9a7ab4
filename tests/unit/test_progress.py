"""What takes long tells how far it is, on a real terminal, and can be ended there."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal as Typed
from lab.desk.typed_commands import _terminal  # noqa: F401 - a fixture
from lab.registries import draft
from lab.servers import postgres
from lab.terminal.terminal import Terminal

from kiosk import bootstrap
from kiosk.cli import progress
from kiosk.setup.new_station import Layout, create
from storage.records import Escrow

pytestmark = pytest.mark.slow

_HERE = Path(__file__).resolve().parents[2]
_TYPED = """
import os, signal, sys
from kiosk.cli import main, progress
from storage import journal_copy
journal_copy.WINDOW = 64
progress._SILENT_SECONDS = 0.0
progress._SECONDS = {True: 0.0, False: 0.0}
if sys.argv[1] == "waits":
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    told = progress.ProgressLine.__call__
    def waiting(self, more=1):
        signal.set_wakeup_fd(wakes)  # what comes before it waits is not lost
        told(self, more)
        os.read(woken, 1)
    progress.ProgressLine.__call__ = waiting
sys.exit(main(sys.argv[2:]))
"""


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", _TYPED, *words]


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    folder = tmp_path / "station"
    folder.mkdir()
    create(Layout.below(folder, folder), bootstrap.found_registry)
    return folder / "kiosk.toml"


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_HERE)}


def test_a_backup_shows_how_far_it_is_and_takes_its_line_away(
    config: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    made = ("backup", str(tmp_path / "made"), "--config", str(config))
    terminal = Terminal(command("goes on", *made), environment, (100, 30))
    try:
        said = terminal.until_said("The backup is in", 0)
    finally:
        terminal.end()
        terminal.close_line()
    assert "bytes: " in said
    assert "s left" in said
    assert said.rpartition("s left")[2].startswith("\x1b[K"), "a line of its own"


def test_ctrl_c_ends_a_backup_and_leaves_nothing_of_it(
    config: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    made, keys = tmp_path / "made", tmp_path / "keys"
    words = ("backup", str(made), "--keys", str(keys), "--config", str(config))
    terminal = Terminal(command("waits", *words), environment, (100, 30))
    try:
        terminal.shows("s left")
        assert made.exists()
        terminal.send(b"\x03")
        assert terminal.wait(30) == 130
    finally:
        terminal.end()
        terminal.close_line()
    assert not made.exists()
    assert not keys.exists()


def test_ctrl_c_ends_a_restore_and_leaves_nothing_of_it(
    config: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    made, keys, fresh = tmp_path / "made", tmp_path / "keys", tmp_path / "fresh"
    words = ("backup", str(made), "--keys", str(keys), "--config", str(config))
    subprocess.run(command("goes on", *words), env=environment, check=True)
    target = ("--keys", str(keys), "--config", str(fresh / "kiosk.toml"))
    fresh.mkdir()
    words = ("restore", str(made), *target)
    terminal = Terminal(command("waits", *words), environment, (100, 30))
    try:
        terminal.shows("s left")
        terminal.send(b"\x03")
        assert terminal.wait(30) == 130
    finally:
        terminal.end()
        terminal.close_line()
    assert list(fresh.iterdir()) == []


def test_ctrl_c_ends_the_making_of_tables_and_the_next_try_makes_them(
    environment: dict[str, str],
) -> None:
    database = postgres.server().conninfo(postgres.server().empty_database())
    words = ("registry", "upgrade", database)
    terminal = Terminal(command("waits", *words), environment, (100, 30))
    try:
        said = terminal.until_said("s left", 0)
        assert "statements: 1 of " in said
        terminal.send(b"\x03")
        assert terminal.wait(30) == 130
    finally:
        terminal.end()
        terminal.close_line()
    done = subprocess.run(
        command("goes on", *words),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Made: step 1, 2" in done.stdout
    assert "s left\n" in done.stderr


def test_the_doctor_shows_how_far_it_is_with_what_is_remembered(
    terminal: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.card(escrow=Escrow())
    with closing(bootstrap.embedded_registry(terminal.config)) as registry:
        for _ in range(150):
            registry.run(lambda tx: tx.audit(draft()))
    monkeypatch.setattr(progress, "_SECONDS", {True: 0.0, False: 0.0})
    _, out, err = terminal.type("doctor")
    assert "events: 100 of 151, about " in err
    assert "credentials: 1 of 1, about " in err
    assert "events: 100" not in out


def test_where_there_is_no_terminal_each_is_a_line_without_codes(
    config: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    made = ("backup", str(tmp_path / "made"), "--config", str(config))
    done = subprocess.run(
        command("goes on", *made),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "s left\n" in done.stderr
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
