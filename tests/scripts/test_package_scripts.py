"""What the package does as it is removed and purged, on a machine below a folder.

dpkg names such a folder in DPKG_ROOT. tests/install does the same with the package
itself, in a Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.setup.units import units, write

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "kiosk" / "setup" / "units"
LIBRARIES = "usr/lib/pin-kiosk/lib/python3.13/site-packages"
FOUND = units(Path("/usr/bin/kiosk"), Path("/etc/pin-kiosk/kiosk.toml"))
MACHINE = ("90-pin-kiosk.conf", "pin-kiosk.conf")
"""What `kiosk units --to /` writes where the package has brought the rest."""
GETTY = """\
[Service]
ExecStart=/bin/true

[Install]
WantedBy=getty.target
DefaultInstance=tty1
"""
CONSOLE = Path("getty.target.wants/getty@tty1.service")


class Machine:
    """One that the package was installed on, before anybody typed anything."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.enabled = self.root / "etc/systemd/system"
        self.enabled.mkdir(parents=True)
        brought = self.root / "usr/lib/systemd/system"
        brought.mkdir(parents=True)
        for unit in FOUND:
            if unit.target.parent == Path("/etc/systemd/system"):
                (brought / unit.target.name).write_text(unit.text)
        (brought / "getty@.service").write_text(GETTY)
        shutil.copytree(SOURCES, self.root / LIBRARIES / "kiosk/setup/units")
        for mine in ("etc/pin-kiosk", "var/lib/pin-kiosk"):
            (self.root / mine).mkdir(parents=True)
        self._bin = folder / "bin"
        self._bin.mkdir()
        self.log = folder / "log"
        self.log.touch()
        self.command("getent", "exit 2")  # nobody of this machine is removed

    def command(self, name: str, script: str) -> None:
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def runs(self) -> None:
        """Let it be booted: what is told to its manager is written down."""
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.command("systemctl", f'echo "$@" >>{self.log}')

    def systemctl(self, *words: str) -> None:
        command = ["systemctl", f"--root={self.root}", *words]
        subprocess.run(command, check=True, capture_output=True)

    def becomes_a_kiosk(self) -> None:
        """Type section 7 of docs/install.md, and let it serve a fleet."""
        write([it for it in FOUND if it.target.name in MACHINE], self.root)
        self.systemctl("enable", "pin-kiosk.service", "pin-kiosk-backup.timer")
        self.systemctl("enable", "pin-kiosk-authority@8443.service")

    def script(self, name: str, *words: str) -> None:
        done = subprocess.run(
            ["/bin/sh", str(ROOT / "scripts/setup/deb" / name), *words],
            env={
                "PATH": f"{self._bin}:{os.environ['PATH']}",
                "DPKG_ROOT": str(self.root),
                "SYSTEMD_OFFLINE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def ours(self) -> Iterator[Path]:
        return (self.root / "etc").rglob("*pin-kiosk*")

    @property
    def has_a_console(self) -> bool:
        return (self.enabled / CONSOLE).is_symlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_who_removes_and_purges_it_has_the_machine_of_before(machine: Machine) -> None:
    machine.becomes_a_kiosk()
    machine.script("prerm", "remove")
    assert machine.has_a_console
    assert list(machine.ours()) == [machine.root / "etc/pin-kiosk"]
    machine.script("postrm", "purge")
    assert list(machine.ours()) == []
    assert not (machine.root / "var/lib/pin-kiosk").exists()


def test_what_a_site_has_changed_goes_with_a_purge(machine: Machine) -> None:
    machine.becomes_a_kiosk()
    changed = machine.root / "etc/sysctl.d/90-pin-kiosk.conf"
    changed.write_text("kernel.sysrq = 1\n")
    machine.script("prerm", "remove")
    assert set(machine.ours()) == {changed, machine.root / "etc/pin-kiosk"}
    machine.script("postrm", "purge")
    assert list(machine.ours()) == []


def test_a_console_that_no_kiosk_took_is_left_as_it_is(machine: Machine) -> None:
    machine.script("prerm", "remove")
    assert not machine.has_a_console


def test_an_upgrade_takes_nothing_away(machine: Machine) -> None:
    machine.becomes_a_kiosk()
    before = set(machine.ours())
    machine.script("prerm", "upgrade", "9.9.9")
    machine.script("postrm", "upgrade", "9.9.9")
    assert set(machine.ours()) == before
    assert not machine.has_a_console


def test_what_runs_is_stopped_first_and_the_console_comes_back_at_once(
    machine: Machine,
) -> None:
    machine.becomes_a_kiosk()
    machine.runs()
    machine.script("prerm", "remove")
    told = [line.split()[-2:] for line in machine.log.read_text().splitlines()]
    assert told[0] == ["stop", "pin-kiosk*"]
    assert ["--now", "getty@tty1.service"] in told
