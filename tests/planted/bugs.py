"""What is planted: a module, what stands there once, and what stands there instead.

Kept as data in `bugs/*.toml`, one file to a room. A bug names the invariant that it
breaks (I1–I7) and the tests that see it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).with_name("bugs")


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One bug."""

    name: str
    """What a person would be told of it, in one sentence."""
    breaks: str
    module: str
    old: str
    new: str
    seen_by: tuple[str, ...]
    """Tests as pytest names them; one of them fails."""

    @cached_property
    def place(self) -> Path:
        """Where it is planted, from the root of the tree."""
        path = Path(*self.module.split("."))
        if (ROOT / path).is_dir():
            return path / "__init__.py"
        return path.with_suffix(".py")

    def planted_in(self, sound: str) -> str:
        """Return the module with the bug in it. ValueError: there is no one place."""
        if sound.count(self.old) != 1:
            raise ValueError(f"{self.name}: {sound.count(self.old)} places")
        return sound.replace(self.old, self.new)


class _Room(msgspec.Struct, forbid_unknown_fields=True):
    bug: tuple[Bug, ...]


def all_bugs() -> tuple[Bug, ...]:
    """Return every bug, room by room."""
    return tuple(
        bug
        for path in sorted(FOLDER.glob("*.toml"))
        for bug in msgspec.toml.decode(path.read_text("utf-8"), type=_Room).bug
    )
