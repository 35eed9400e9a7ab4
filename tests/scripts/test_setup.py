"""The setup finds what is missing, and installs it or says what to type."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "grep", "tr", "sort", "cat", "echo", "gcc")
"""What the script may use of the machine; everything else is put there by a test."""


class Machine:
    """A machine whose commands are those in one folder."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "log"
        self.scripts = folder / "scripts" / "setup"
        shutil.copytree(ROOT / "scripts" / "setup", self.scripts)
        self.has_system_python("no-python3")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is missing on this machine"
            (self.bin / tool).symlink_to(found)
        (self.bin / "python3").symlink_to(sys.executable)
        self.command("id", "echo 1000")

    def command(self, name: str, script: str) -> None:
        """Put a command there that runs `script`."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def has_system_python(self, name: str) -> None:
        """Let the system's own Python be that command of this machine."""
        choice = (ROOT / "scripts" / "setup" / "interpreter.sh").read_text()
        assert choice.count("/usr/bin/python3") == 1
        changed = choice.replace("/usr/bin/python3", str(self.bin / name))
        (self.scripts / "interpreter.sh").write_text(changed)

    def without_compiler(self) -> None:
        self.command("gcc", "exit 1")

    def set_up(
        self, *purposes: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.scripts / "system.sh"), *purposes],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": str(self.bin), **environment},
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_that_has_everything_is_left_alone(machine: Machine) -> None:
    done = machine.set_up("run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_old_python_is_refused_in_a_sentence(machine: Machine) -> None:
    machine.command("python3", '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; 'python3' is Python 3.9.2." in done.stderr


def test_the_systems_own_python_comes_before_the_first_of_the_path(
    machine: Machine,
) -> None:
    machine.command("python3", "exit 1")
    assert machine.set_up("run").returncode == 1
    (machine.bin / "system-python").symlink_to(sys.executable)
    machine.has_system_python("system-python")
    done = machine.set_up("run")
    assert (done.returncode, done.stderr) == (0, "")


def test_where_the_systems_own_is_too_old_the_first_of_the_path_is_used(
    machine: Machine,
) -> None:
    machine.command("system-python", "exit 1")
    machine.has_system_python("system-python")
    assert machine.set_up("run").returncode == 0


def test_a_python_that_is_named_is_used_or_refused(machine: Machine) -> None:
    machine.command("old", '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    done = machine.set_up("run", PYTHON="old")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; 'old' is Python 3.9.2." in done.stderr


def test_without_apt_the_missing_packages_are_named(machine: Machine) -> None:
    machine.without_compiler()
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "gcc libc6-dev" in done.stderr


def test_without_rights_the_exact_command_is_printed(machine: Machine) -> None:
    machine.without_compiler()
    machine.command("apt-get", "exit 99")
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "apt-get install --no-install-recommends gcc libc6-dev" in done.stderr


def test_sudo_that_would_ask_is_not_used_without_a_terminal(machine: Machine) -> None:
    machine.without_compiler()
    machine.command("apt-get", "exit 99")
    machine.command("sudo", "exit 1")
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "apt-get install" in done.stderr


def test_through_sudo_just_what_is_missing_is_installed(machine: Machine) -> None:
    machine.without_compiler()
    machine.command("apt-get", "exit 99")
    machine.command(
        "sudo",
        f'[ "$1" = -n ] && exit 0\n'
        f'echo "$@" >>{machine.log}\n'
        f"/bin/ln -sf /bin/true {machine.bin}/gcc",
    )
    done = machine.set_up("run")
    assert (done.returncode, done.stderr) == (0, "")
    (call,) = machine.log.read_text().splitlines()
    assert call.endswith("scripts/setup/apt.sh gcc libc6-dev")


def test_what_is_still_missing_afterwards_is_a_failure(machine: Machine) -> None:
    machine.without_compiler()
    machine.command("apt-get", "exit 99")
    machine.command("sudo", "exit 0")
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "Still missing after the installation: gcc libc6-dev" in done.stderr


def test_make_help_lists_every_target() -> None:
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for target in ("env", "run", "test", "bench", "check", "lock"):
        assert f"make {target} " in done.stdout


def test_what_the_manual_points_at_is_in_the_package(tmp_path: Path) -> None:
    copies = [
        line
        for line in (ROOT / "scripts/setup/deb.sh").read_text("utf-8").splitlines()
        if line.startswith("cp ") and line.endswith('"$documents"')
    ]
    script = "\n".join(("documents=$1", *copies))
    done = ["sh", "-euc", script, "sh", str(tmp_path)]
    subprocess.run(done, cwd=ROOT, check=True)
    pointed = set()
    for document in tmp_path.glob("*.md"):
        text = document.read_text("utf-8")
        links = re.findall(r"\]\(([^)#\s:]+)[)#]", text)
        pointed |= {tmp_path / link for link in links if not link.startswith("..")}
        named = re.findall(r"/usr/share/doc/pin-kiosk/([\w./-]+)", text)
        pointed |= {tmp_path / name for name in named}
    assert tmp_path / "operations/alerts.yml" in pointed
    assert [path for path in sorted(pointed) if not path.is_file()] == []
