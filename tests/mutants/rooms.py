"""Which modules are changed, by whom it should be seen, and what nobody can see.

Kept as data: `rooms.toml`, one room to a promise-bearing part of the program with the
fast tests that should see it, and `equivalent.toml`, mutants that are the same program,
each with the reason.
"""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
_PLAIN = ("--noconftest", "-plab.quick_hashes")


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Modules that are changed together, and who should see it."""

    name: str
    modules: tuple[str, ...]
    """Files from the root of the tree, or folders of them."""
    seen_by: tuple[str, ...]
    """Tests as pytest names them: those that see most first."""
    plain: bool = False
    """They need no fixture of the laboratory."""

    def tests(self) -> tuple[str, ...]:
        """Return what pytest is told."""
        return (*_PLAIN, *self.seen_by) if self.plain else self.seen_by

    def files(self) -> tuple[str, ...]:
        """Return every module, from the root of the tree."""
        found: list[str] = []
        for each in self.modules:
            path = ROOT / each
            many = sorted(path.glob("*.py")) if path.is_dir() else [path]
            found += [str(one.relative_to(ROOT)) for one in many]
        return tuple(found)


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change after which the program does the same."""

    module: str
    old: str
    """A piece of the module that stands there once."""
    new: str
    why: str
    """Why nobody can see it, from outside."""

    def changed(self, sound: str) -> str:
        """Return the module so changed. ValueError: there is no one place."""
        if sound.count(self.old) != 1:
            raise ValueError(f"{self.module}: {sound.count(self.old)} × {self.old}")
        return sound.replace(self.old, self.new)


class _Rooms(msgspec.Struct, forbid_unknown_fields=True):
    room: tuple[Room, ...]


class _Equivalents(msgspec.Struct, forbid_unknown_fields=True):
    equivalent: tuple[Equivalent, ...] = ()


def all_rooms() -> tuple[Room, ...]:
    """Return every room."""
    text = (FOLDER / "rooms.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_Rooms).room


def all_equivalents() -> tuple[Equivalent, ...]:
    """Return every mutant that is known to be the same program."""
    text = (FOLDER / "equivalent.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_Equivalents).equivalent


def shape(source: str) -> str:
    """Return what a module is, however it is written down. SyntaxError."""
    return ast.dump(ast.parse(source))
