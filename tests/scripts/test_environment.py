"""The environment is made anew when what it was made from changes, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "scripts" / "setup"
FILES = ("requirements.lock", "pyproject.toml")
REMEDY = "type: make -C /opt/pin-kiosk env"
BUILDING = """\
work=$PWD/work
log() { echo "$@" >>log; }
wheels() { log "wheels $2"; [ ! -e broken ]; }
kerberos_wheels() { log kerberos; [ ! -e no-compiler ]; }
install() { :; }
tool() { log program; }
launcher() { :; }
"""
"""What builds, for a test: it only writes down that it was asked."""


class Checkout:
    """A checkout whose environment is made without building anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.setup = folder / "scripts" / "setup"
        shutil.copytree(SETUP, self.setup)
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        (self.setup / "building.sh").write_text(BUILDING)
        self.python = folder / "python3"
        self.interpreter("3, 11, 2")

    def interpreter(self, version: str) -> None:
        """Let the machine's Python be of another version."""
        self.python.write_text(
            f"#!/bin/sh\n"
            f'case "$2" in\n'
            f'*version_info*) echo "/usr/bin/python3 ({version})" ;;\n'
            f"*) mkdir -p .venv && rm -f .venv/.[a-z]* ;;\n"
            f"esac\n"
        )
        self.python.chmod(0o755)

    def made(self, *parts: str) -> list[str]:
        """Make it; return what had to be made."""
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        subprocess.run(
            ["/bin/sh", "scripts/setup/env.sh", *parts],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHON": str(self.python)},
        )
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_station_gets_nothing_that_only_tests_use(checkout: Checkout) -> None:
    assert checkout.made() == ["wheels requirements.lock", "program"]
    locked = (ROOT / "requirements.lock").read_text()
    assert "\npytest" not in locked
    assert "\nmypy" not in locked
    assert "\nhatchling" not in locked


def test_what_is_made_is_not_made_again(checkout: Checkout) -> None:
    checkout.made("test")
    assert checkout.made("test") == []
    assert checkout.made() == []


def test_parts_are_added_to_what_is_there(checkout: Checkout) -> None:
    checkout.made()
    assert set(checkout.made("kerberos", "test")) == {
        "kerberos",
        "wheels scripts/setup/dev.lock",
    }
    assert checkout.made("kerberos", "test") == []


def test_what_could_not_be_compiled_beside_the_rest_is_not_taken_for_made(
    checkout: Checkout,
) -> None:
    (checkout.folder / "no-compiler").touch()
    with pytest.raises(subprocess.CalledProcessError):
        checkout.made("kerberos", "test")
    (checkout.folder / "no-compiler").unlink()
    assert "kerberos" in checkout.made("kerberos", "test")


@pytest.mark.parametrize("file", ["requirements.lock", "scripts/setup/building.sh"])
def test_other_libraries_make_all_of_it_anew(checkout: Checkout, file: str) -> None:
    checkout.made("test")
    with (checkout.folder / file).open("a") as stream:
        stream.write("\n# another\n")
    assert len(checkout.made("test")) == 3


def test_an_upgrade_of_python_makes_all_of_it_anew(checkout: Checkout) -> None:
    checkout.made("kerberos")
    checkout.interpreter("3, 13, 5")
    assert set(checkout.made("kerberos")) == {
        "wheels requirements.lock",
        "program",
        "kerberos",
    }


def test_what_failed_ends_it_and_is_not_taken_for_made(checkout: Checkout) -> None:
    (checkout.folder / "broken").touch()
    with pytest.raises(subprocess.CalledProcessError):
        checkout.made()
    log = (checkout.folder / "log").read_text()
    assert log == "wheels requirements.lock\n"
    (checkout.folder / "broken").unlink()
    assert checkout.made() == ["wheels requirements.lock", "program"]


def test_an_environment_that_was_moved_is_made_anew(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    checkout.made()
    moved = tmp_path_factory.mktemp("moved") / "here"
    shutil.copytree(checkout.folder, moved)
    checkout.folder = moved
    assert checkout.made() != []


# --- `kiosk` where it cannot run ---------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment with its launcher, and no Pin Kiosk in it."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True
    )
    subprocess.run(
        [
            *("/bin/sh", "-euc", '. "$here/building.sh"; launcher "$1" "$2"'),
            *("sh", str(tmp_path / "env"), REMEDY),
        ],
        env={**os.environ, "here": str(SETUP), "python": sys.executable},
        check=True,
    )
    return tmp_path / "env"


def said(environment: Path) -> str:
    done = subprocess.run(
        [environment / "bin" / "kiosk", "doctor"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (70, "")
    (line,) = done.stderr.splitlines()
    return line


def test_an_upgraded_python_is_one_sentence(environment: Path) -> None:
    told = environment / "pyvenv.cfg"
    now = f"{sys.version_info.major}.{sys.version_info.minor}"
    told.write_text(told.read_text().replace(f"version = {now}", "version = 3.8"))
    assert said(environment) == (
        f"Pin Kiosk cannot run: {environment} was made for Python 3.8, "
        f"this machine has {now}; {REMEDY}"
    )


def test_an_unfinished_environment_is_one_sentence(environment: Path) -> None:
    assert said(environment) == (
        f"Pin Kiosk cannot run: {environment} is not whole "
        f"(No module named 'kiosk'); {REMEDY}"
    )


def test_a_python_that_is_gone_is_one_sentence(environment: Path) -> None:
    for name in ("python", "python3"):
        (environment / "bin" / name).unlink()
    assert said(environment) == (
        f"Pin Kiosk cannot run: the Python of its environment is gone; {REMEDY}"
    )


def test_who_interrupts_it_before_it_has_begun_reads_nothing_of_the_inside(
    environment: Path,
) -> None:
    """Importing takes a fifth of a second: somebody may type Ctrl+C in it."""
    (library,) = environment.glob("lib/python*/site-packages")
    package = library / "kiosk" / "cli"
    package.mkdir(parents=True)
    (library / "kiosk" / "__init__.py").touch()
    (package / "__init__.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = subprocess.run(
        [environment / "bin" / "kiosk", "doctor"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_the_launcher_runs_from_wherever_it_is_linked(tmp_path: Path) -> None:
    linked = tmp_path / "kiosk"
    linked.symlink_to(Path(sys.executable).with_name("kiosk"))
    done = subprocess.run([linked, "-V"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("kiosk ")
