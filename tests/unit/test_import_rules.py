"""The directions of the house hold, every contract can be broken, nothing is loaded
that is not used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("kiosk", "statemachine", "storage")
HEAVY = {"textual", "ldap3", "smartcard", "tinydb", "psycopg", "typer", "cryptography"}

LOADS = {
    "statemachine.offers": HEAVY | {"kiosk", "storage", "msgspec"},
    "statemachine.render": HEAVY | {"kiosk", "storage", "msgspec"},
    "storage.tinydb_registry": {
        *("kiosk", "textual", "ldap3", "smartcard", "typer", "psycopg"),
    },
    "storage.postgres_registry": {
        *("kiosk", "textual", "ldap3", "smartcard", "typer", "tinydb"),
    },
    "kiosk.authority.local": HEAVY - {"cryptography"},
    "kiosk.visit.visit": HEAVY - {"cryptography"},
    "kiosk.tui.app": {"ldap3", "smartcard", "tinydb", "typer", "cryptography"},
    "kiosk.plain.controller": {"textual", "rich", *HEAVY} - {"cryptography"},
    "kiosk.simulation.world": HEAVY - {"cryptography"},
    "kiosk.simulation.demo": HEAVY - {"cryptography"},
    "kiosk.bootstrap": {"textual", "ldap3", "smartcard", "tinydb", "psycopg"},
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


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


FORBIDDING = [each for each in contracts() if each["type"] == "forbidden"]


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


def trespasser(source: str) -> tuple[str, Path]:
    """Return a module of `source`, and the file that is to do what it may not."""
    path = Path(*source.split("."))
    if (ROOT / path).is_dir():
        return f"{source}.trespasser", path / "trespasser.py"
    return source, path.with_suffix(".py")


@pytest.mark.parametrize("contract", FORBIDDING, ids=lambda each: str(each["name"]))
def test_every_rule_finds_every_trespass_it_names(
    tree: Path, contract: dict[str, Any]
) -> None:
    """Each source imports each forbidden module; the rule alone sees them all."""
    (tree / "pyproject.toml").write_text(alone(contract), "utf-8")
    wanted = set()
    for source in contract["source_modules"]:
        module, file = trespasser(source)
        with (tree / file).open("a", encoding="utf-8") as out:
            for forbidden in contract["forbidden_modules"]:
                out.write(f"\nimport {forbidden}\n")
                wanted.add((module, forbidden))
    output = lint(tree).stdout
    seen = set(re.findall(r"^\s*-?\s*(\S+) -> (\S+)\s+\(l\.", output, re.MULTILINE))
    assert wanted - seen == set(), output


def test_every_module_is_under_the_rule_that_only_bootstrap_names_adapters() -> None:
    """What neither is an adapter nor chooses one is a source, or inside of one."""
    rule = next(each for each in FORBIDDING if "named by bootstrap" in each["name"])
    placed = [*rule["source_modules"], *rule["forbidden_modules"], *CHOOSING]
    wild = [each for each in modules() if not is_below(each, placed)]
    assert wild == [], "name them among the sources of that rule, in pyproject.toml"


CHOOSING = ("kiosk.bootstrap", "kiosk.__main__", "storage")
"""What may name adapters: who chooses, and the room of the stores themselves."""


def modules() -> list[str]:
    """Return every module of the product that imports something."""
    files = [f for package in PACKAGES for f in sorted((ROOT / package).rglob("*.py"))]
    return [
        ".".join(each.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for each in files
        if re.search(r"^ *(import|from) (?!__future__)", each.read_text("utf-8"), re.M)
    ]


def is_below(module: str, places: list[str]) -> bool:
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def alone(contract: dict[str, Any]) -> str:
    """Return settings of import-linter: one contract, without its exceptions."""
    given = {**contract, "ignore_imports": [], "allow_indirect_imports": True}
    roots = {"root_packages": list(PACKAGES), "include_external_packages": True}
    return "\n".join(
        [
            "[tool.importlinter]",
            *(f"{key} = {json.dumps(value)}" for key, value in roots.items()),
            "[[tool.importlinter.contracts]]",
            *(f"{key} = {json.dumps(value)}" for key, value in given.items()),
        ]
    )


def test_a_room_that_looks_up_is_seen(tree: Path) -> None:
    low = tree / "kiosk/core/errors.py"
    low.write_text(f"{low.read_text('utf-8')}\nimport kiosk.cards.ports\n", "utf-8")
    assert "the rooms stand in one order" in broken(lint(tree).stdout)


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


def circle_in(graph: grimp.ImportGraph) -> list[str]:
    """Return modules that come back to the first of them; empty: there are none."""
    left = set(graph.modules)
    while left:
        ends = {
            each
            for each in left
            if not graph.find_modules_directly_imported_by(each) & left
        }
        if not ends:
            break
        left -= ends
    path: list[str] = []
    while left:
        at = path[-1] if path else min(left)
        after = min(graph.find_modules_directly_imported_by(at) & left)
        if after in path:
            return path[path.index(after) :]
        path.append(after)
    return []


def test_no_module_comes_back_to_itself() -> None:
    """Whatever is imported later, inside a function, counts, too."""
    graph = grimp.build_graph(
        *PACKAGES, exclude_type_checking_imports=True, cache_dir=None
    )
    assert circle_in(graph) == []
    graph.add_import(importer="storage.view", imported="kiosk.bootstrap.stations")
    assert circle_in(graph), "no circle is ever seen"
