"""The directions of the house hold, every contract can be broken, nothing is loaded
that is not used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("kiosk", "statemachine", "storage")
HEAVY = {"textual", "ldap3", "smartcard", "tinydb", "typer", "cryptography"}

TRESPASSES = {
    "statemachine knows nobody": ("statemachine/guards.py", "storage.records"),
    "storage does not know the kiosk": ("storage/records.py", "kiosk.core.errors"),
    "the rooms stand in one order": ("kiosk/core/errors.py", "kiosk.cards.ports"),
    "cards know no credential, account, screen or store": (
        "kiosk/cards/ports.py",
        "statemachine.lifecycle",
    ),
    "the directory knows no card, credential, screen or store": (
        "kiosk/directory/ports.py",
        "storage.records",
    ),
    "the authority knows no card and no face": (
        "kiosk/authority/rules/effective.py",
        "kiosk.cards.ports",
    ),
    "a visit knows the authority's port, no directory and no store": (
        "kiosk/visit/forms.py",
        "kiosk.directory.ports",
    ),
    "the faces see the visit's façade only": (
        "kiosk/faces/wording.py",
        "kiosk.visit.run",
    ),
    "concrete adapters are named by bootstrap": (
        "kiosk/visit/embedded_station.py",
        "storage.tinydb_registry",
    ),
    "only kiosk.tui imports Textual": ("kiosk/doctor/__init__.py", "textual"),
    "only kiosk.cards.pcsc imports pyscard": ("kiosk/cli/doctor.py", "smartcard"),
    "only kiosk.cards.pkcs11.module imports pkcs11": (
        "kiosk/cards/pkcs11/card.py",
        "pkcs11",
    ),
    "only kiosk.directory.ldap imports ldap3": (
        "kiosk/authority/office/desk.py",
        "ldap3",
    ),
    "only the locator imports dnspython": (
        "kiosk/directory/ldap/directory.py",
        "dns.resolver",
    ),
    "tinydb stays inside storage, transitions inside statemachine": (
        "kiosk/setup/new_station.py",
        "tinydb",
    ),
    "only kiosk.cli imports typer": ("kiosk/config/settings.py", "typer"),
}
"""For each contract a file that would break it, and by importing what."""

LOADS = {
    "statemachine.offers": HEAVY | {"kiosk", "storage", "msgspec"},
    "statemachine.render": HEAVY | {"kiosk", "storage", "msgspec"},
    "storage.tinydb_registry": {"kiosk", "textual", "ldap3", "smartcard", "typer"},
    "kiosk.authority.local": HEAVY - {"cryptography"},
    "kiosk.visit.visit": HEAVY - {"cryptography"},
    "kiosk.tui.app": {"ldap3", "smartcard", "tinydb", "typer", "cryptography"},
    "kiosk.plain.controller": {"textual", "rich", *HEAVY} - {"cryptography"},
    "kiosk.simulation.world": HEAVY - {"cryptography"},
    "kiosk.simulation.demo": HEAVY - {"cryptography"},
    "kiosk.bootstrap": {"textual", "ldap3", "smartcard", "tinydb"},
    "kiosk.cli": HEAVY - {"typer"} | {"msgspec"},
}
"""For each module what it must never pull in, however far away."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import rules of the tree in `folder`, with its own packages."""
    program = Path(sys.executable).with_name("lint-imports")
    assert program.exists(), "import-linter is missing: make env-test"
    return subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(output: str) -> set[str]:
    """Return the names of the contracts that a run found broken."""
    return set(re.findall(r"^(.+) BROKEN\b", output, re.MULTILINE))


def test_the_rules_of_the_house_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__py*")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_rule_finds_its_trespasser(tree: Path) -> None:
    for file, module in TRESPASSES.values():
        path = tree / file
        path.write_text(f"{path.read_text('utf-8')}\nimport {module}\n", "utf-8")
    done = lint(tree)
    assert done.returncode != 0
    assert broken(done.stdout) == set(TRESPASSES), done.stdout + done.stderr


def test_no_rule_is_without_its_trespasser() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(TRESPASSES)


def test_a_new_room_is_given_its_place(tree: Path) -> None:
    (tree / "kiosk/annex.py").write_text('"""A room that nobody placed."""\n')
    assert broken(lint(tree).stdout) == {"the rooms stand in one order"}


@pytest.mark.parametrize("module", LOADS)
def test_a_room_loads_nothing_it_does_not_use(module: str) -> None:
    script = (
        f"import sys, {module};"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & LOADS[module] == set()
