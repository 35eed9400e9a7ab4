"""The system's files: complete, sound to systemd, and written over nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kiosk.units import NotInstalled, units, write

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


def test_nothing_is_written_over_and_nothing_is_left_half_done(tmp_path: Path) -> None:
    there = tmp_path / "etc/systemd/system/pin-kiosk.service"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    with pytest.raises(NotInstalled) as caught:
        write(FOUND, tmp_path)
    assert caught.value.data["file"] == str(there)
    assert there.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [there]
