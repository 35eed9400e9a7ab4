"""The system's files: complete, sound to systemd, and written over nothing."""

from __future__ import annotations

import errno
import re
import stat
import subprocess
from pathlib import Path

import pytest
from msgspec import inspect

from kiosk.authority.service import desks
from kiosk.cli import main
from kiosk.config.render import fields_of
from kiosk.config.sections.fleet import ServiceSettings
from kiosk.core.exit_codes import ExitCode
from kiosk.setup.units import (
    Changed,
    PartlyDone,
    UnitsNotInstalled,
    remove,
    units,
    write,
)

PROGRAM, CONFIG = Path("/bin/true"), Path("/etc/pin-kiosk/kiosk.toml")
FOUND = units(PROGRAM, CONFIG)


def text_of(name: str) -> str:
    return next(unit.text for unit in FOUND if unit.target.name == name)


def test_every_file_says_where_it_belongs() -> None:
    assert sorted(str(unit.target) for unit in FOUND) == [
        "/etc/logrotate.d/pin-kiosk",
        "/etc/polkit-1/rules.d/50-pin-kiosk.rules",
        "/etc/sysctl.d/90-pin-kiosk.conf",
        "/etc/systemd/logind.conf.d/pin-kiosk.conf",
        "/etc/systemd/system/pin-kiosk-authority@.service",
        "/etc/systemd/system/pin-kiosk-backup.service",
        "/etc/systemd/system/pin-kiosk-backup.timer",
        "/etc/systemd/system/pin-kiosk-desk.service",
        "/etc/systemd/system/pin-kiosk.service",
    ]


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    write(FOUND, tmp_path)
    folder = tmp_path / "etc/systemd/system"
    for unit in sorted(folder.iterdir()):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        own = [line for line in done.stderr.splitlines() if unit.name in line]
        assert own == []


@pytest.mark.parametrize("name", ["pin-kiosk.service", "pin-kiosk-desk.service"])
def test_a_kiosk_dumps_no_core_and_gains_no_right(name: str) -> None:
    unit = text_of(name)
    for line in ("LimitCORE=0", "NoNewPrivileges=yes", "UMask=0077", "User=kiosk"):
        assert line in unit.splitlines()
    assert f"ExecStart={PROGRAM} run --config" in unit


def test_nothing_stands_for_something_else_any_more() -> None:
    assert not any("@kiosk@" in unit.text or "@config@" in unit.text for unit in FOUND)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """One of the files is there, and is not ours."""
    there = tmp_path / "etc/systemd/system/pin-kiosk.service"
    there.parent.mkdir(parents=True)
    there.write_text("mine\n")
    return there


def test_what_somebody_has_changed_is_not_written_over(
    tmp_path: Path, changed: Path
) -> None:
    with pytest.raises(Changed) as caught:
        write(FOUND, tmp_path)
    assert caught.value.data["file"] == str(changed)
    assert changed.read_text() == "mine\n"
    assert files_below(tmp_path) == [changed]


def test_a_place_that_cannot_be_written_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").write_text("a file where a folder belongs")
    before = files_below(tmp_path)
    with pytest.raises(UnitsNotInstalled):
        write(FOUND, tmp_path)
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("at", [1, 4])
def test_a_full_disk_is_named_with_its_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls = 0

    def full(_handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnitsNotInstalled) as caught:
        write(FOUND, tmp_path)
    assert caught.value.data["file"] == str(
        tmp_path / FOUND[at - 1].target.relative_to("/")
    )
    assert list(tmp_path.iterdir()) == []


def failing_at(monkeypatch: pytest.MonkeyPatch, what: str, place: Path) -> None:
    """Let a method of paths fail for one file."""
    real = getattr(Path, what)

    def failing(path: Path, *told: object, **named: object) -> object:
        if place in (path, *told):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, *told, **named)

    monkeypatch.setattr(Path, what, failing)


def test_what_was_removed_before_an_error_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = write(FOUND, tmp_path)
    failing_at(monkeypatch, "unlink", second)
    with pytest.raises(PartlyDone) as caught:
        remove(FOUND, tmp_path)
    assert caught.value.data["done"] == str(first)
    assert caught.value.data["file"] == str(second)
    with pytest.raises(UnitsNotInstalled):
        remove(FOUND, tmp_path)


def test_what_was_replaced_before_an_error_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, *_ = write(FOUND, tmp_path)
    first.unlink()
    second.write_text("theirs")
    third.write_text("theirs, too")
    failing_at(monkeypatch, "replace", third)
    with pytest.raises(PartlyDone) as caught:
        write(FOUND, tmp_path, over=True)
    assert caught.value.data["done"] == str(second)
    assert not first.exists()
    assert not list(tmp_path.rglob("*.new"))


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    assert len(write(FOUND, tmp_path)) == len(FOUND)
    assert write(FOUND, tmp_path) == ()


def test_by_force_the_difference_is_shown_and_the_file_replaced(
    tmp_path: Path, changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["units", "--to", str(tmp_path), "--program", str(PROGRAM)]
    assert main(told) == ExitCode.FAILED
    assert "--force" in capsys.readouterr().err
    assert main([*told, "--force"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert f"--- {changed}\n" in out
    assert "\n-mine\n" in out
    assert changed.read_text() == text_of("pin-kiosk.service")
    assert stat.S_IMODE(changed.stat().st_mode) == 0o644


def test_a_diff_is_only_shown(tmp_path: Path, changed: Path) -> None:
    assert main(["units", "--to", str(tmp_path), "--diff"]) == ExitCode.OK
    assert files_below(tmp_path) == [changed]
    assert changed.read_text() == "mine\n"


def test_what_was_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "etc/systemd/system/other.service"
    write(FOUND, tmp_path)
    other.write_text("theirs")
    told = ["units", "--remove", "--to", str(tmp_path), "--program", str(PROGRAM)]
    assert main(told) == ExitCode.OK
    assert files_below(tmp_path) == [other]


def test_what_somebody_has_changed_is_removed_only_by_force(
    tmp_path: Path, changed: Path
) -> None:
    write(FOUND[:1], tmp_path)
    before = files_below(tmp_path)
    told = ["units", "--remove", "--to", str(tmp_path), "--program", str(PROGRAM)]
    assert main(told) == ExitCode.FAILED
    assert files_below(tmp_path) == before
    assert main([*told, "--force"]) == ExitCode.OK
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("option", "path"),
    [
        ("--program", "kiosk"),
        ("--program", "/bin/kiosk\nExecStartPre=/bin/true"),
        ("--config", "kiosk.toml"),
        ("--config", "/etc/pin kiosk/kiosk.toml"),
        ("--config", "/etc/%n.toml"),
    ],
)
def test_a_path_that_systemd_would_not_take_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, path: str
) -> None:
    assert main(["units", "--to", str(tmp_path), option, path]) == ExitCode.USAGE
    assert "cannot stand in a unit of systemd" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
SERVICES = ["pin-kiosk.service", "pin-kiosk-desk.service"]
SERVICES.append("pin-kiosk-authority@.service")


def told(unit: str, name: str) -> list[str]:
    """Everything that a unit says of one setting."""
    lines = [line.partition("=") for line in text_of(unit).splitlines()]
    return [word for key, _, said in lines if key == name for word in said.split()]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_write_where_the_manual_lets_it_write(name: str) -> None:
    """`ProtectSystem=strict` leaves it no other places."""
    places = re.findall(r'= "(?:unix:)?(/(?:run|var)/[^"]+)"', MANUAL.read_text())
    assert len(places) == 2
    open_to_it = told(name, "ReadWritePaths")
    open_to_it += [f"/run/{each}" for each in told(name, "RuntimeDirectory")]
    open_to_it += [f"/var/log/{each}" for each in told(name, "LogsDirectory")]
    assert {str(Path(place).parent) for place in places} <= set(open_to_it)
    logs = [place for place in places if place.endswith(".log")]
    rotated = text_of("pin-kiosk").split("{")[0].split()
    assert [str(Path(place).with_name("*.log")) for place in logs] == rotated[-1:]


def test_one_process_that_ends_leaves_the_others_their_folder() -> None:
    for name in SERVICES:
        assert told(name, "RuntimeDirectoryPreserve") == ["yes"]


def test_an_authority_is_given_the_time_that_its_end_takes() -> None:
    """It drains, then waits for a card's longest command, then for what is written."""
    (longest,) = (
        each.type.le
        for each in fields_of(ServiceSettings)
        if each.name == "drain_seconds" and isinstance(each.type, inspect.FloatType)
    )
    (seconds,) = told("pin-kiosk-authority@.service", "TimeoutStopSec")
    assert longest is not None
    assert float(seconds) > longest + desks.ENDING_SECONDS + 50
