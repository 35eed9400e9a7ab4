"""What `kiosk init --guided` takes of what is typed, and what it says in the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from kiosk.cli import guided, guided_people, starting
from kiosk.core.exit_codes import ExitCode
from kiosk.core.file_owner import name_of, owner_of
from kiosk.doctor import Check, fail
from kiosk.setup import units
from kiosk.setup.new_station import IssuerFiles, Layout, SiteAnswers, create
from kiosk.setup.units import Unit


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        (["ann"], "ann@ad.test"),
        (["ann@other.test"], "ann@other.test"),
        (["AD\\ann", "a nn", "ann@", "ann"], "ann@ad.test"),
    ],
)
def test_an_operators_account_is_one_that_the_configuration_takes(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], account: str
) -> None:
    """Else all that was typed before would be gone at the end."""
    answers = iter(typed)
    monkeypatch.setattr(guided_people, "ask", lambda *_: next(answers))
    assert guided_people.operator_account("root", "ad.test") == account
    assert list(answers) == []


class Machine:
    """One that systemd has started; root answers that the kiosk shall be started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.units: Sequence[Unit] = ()
        self.ran: list[Sequence[str]] = []
        self.asked: list[str] = []
        monkeypatch.setattr(starting, "_RUNNING", folder)
        monkeypatch.setattr(os, "getuid", lambda: 0)
        monkeypatch.setattr(starting, "as_oneself", lambda: nullcontext())
        monkeypatch.setattr(starting, "agree", self.agree)
        monkeypatch.setattr(units, "write", self.write)
        monkeypatch.setattr(subprocess, "run", self.run)

    def agree(self, key: str, **_: object) -> bool:
        self.asked.append(key)
        return True

    def write(self, found: Sequence[Unit], root: Path) -> None:
        assert root == Path("/")
        self.units = found

    def run(self, command: Sequence[str], **_: object) -> CompletedProcess[bytes]:
        self.ran.append(command)
        return CompletedProcess(command, 0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_the_machines_own_station_is_started_on_its_first_console(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    starting.offer("kiosk", Path("/etc/pin-kiosk/kiosk.toml"))
    (unit,) = [
        each for each in machine.units if each.target.name == "pin-kiosk.service"
    ]
    assert "run --config /etc/pin-kiosk/kiosk.toml" in unit.text
    assert "pin-kiosk.service" in machine.ran[-1]
    assert "It runs on the first console." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "named"),
    [("/srv/kiosk.toml", "/srv/kiosk.toml"), ("/srv/a b.toml", "'/srv/a b.toml'")],
)
def test_a_station_elsewhere_does_not_take_the_console_of_the_machines_own(
    machine: Machine, capsys: pytest.CaptureFixture[str], place: str, named: str
) -> None:
    starting.offer("ann", Path(place))
    assert (machine.asked, machine.units, machine.ran) == ([], (), [])
    assert capsys.readouterr().out == (
        f"To run it here and now: sudo -u ann kiosk run --config {named}\n"
    )


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_to_be_typed_next_names_a_configuration_that_nobody_would_find(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    *,
    is_whole: bool,
) -> None:
    layout = Layout.below(tmp_path, tmp_path)
    create(layout, lambda _: None, IssuerFiles(b"", b""), SiteAnswers(values={}))
    lacking: list[tuple[str, Check]] = [
        ("reader", lambda: [fail("reader", "no_reader")])
    ]
    monkeypatch.setattr(guided, "checks_of", lambda _: [] if is_whole else lacking)
    ended = guided._end(layout)
    typed = [
        line.partition(": ")[2]
        for line in capsys.readouterr().out.splitlines()
        if ": sudo" in line
    ]
    user, option = name_of(owner_of(layout.config)), f" --config {layout.config}"
    issue = "credential issue --account NAME --template staff"
    commands = (issue, "run") if is_whole else ("doctor",)
    assert typed == [f"sudo -u {user} kiosk {each}{option}" for each in commands]
    assert ended == (ExitCode.OK if is_whole else ExitCode.FAILED)
    assert machine.asked == []
