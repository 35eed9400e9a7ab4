"""One name, one thing: a class's name says which, wherever it is read."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("kiosk", "statemachine", "storage")

SHARED = {
    "Channel": "of a relayed session, of a domain controller: no module knows both",
}
"""Names that several classes may have, each with the reason."""

FRAMES = Path("kiosk/desk/relay/frames.py")
"""Its classes are named after what they carry; only the relay speaks of them."""


def classes() -> dict[str, list[str]]:
    """Return where each name of a class is defined, nested and private ones too."""
    found: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if file == ROOT / FRAMES:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def test_a_class_has_a_name_of_its_own() -> None:
    shared = {name: at for name, at in classes().items() if len(at) > 1}
    assert {name: at for name, at in shared.items() if name not in SHARED} == {}
    assert importers_of(FRAMES) == {FRAMES.parent}
    assert set(SHARED) <= set(shared), "nobody shares this name any more"


def importers_of(module: Path) -> set[Path]:
    """Return the folders of the modules that name something of it."""
    name = ".".join(module.with_suffix("").parts)
    return {
        file.parent.relative_to(ROOT)
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if f"{name} import" in file.read_text("utf-8")
    }
