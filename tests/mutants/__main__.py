"""`python -m mutants ROOM…`: change one thing of a room at a time; who sees it?

Each mutant is put into a copy of the tree, and the room's tests run there until one
fails. Prints those that survive, as a difference, and how many of how many were killed.
Ends with 1 if one survived. `--most N`: so many of a room, taken evenly from all.
`--only WORDS`: those whose module has one of the words.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from planted.copies import WHOLE_SECONDS, Told, be_ready, copy_tree, run, wrong

from mutants.rooms import ROOT, Room, all_equivalents, all_rooms, shape

MAKES = ROOT / ".venv" / "mutants" / "bin" / "python"
"""The environment that has Cosmic Ray: `make mutants` sees to it."""
_HUNG = 4
"""So many times as long as without any change is too long."""
_LEAST_SECONDS = 20
_MOST_BYTES = 6 << 30
"""Of memory: a mutant may ask for more and more."""


class Mutant(msgspec.Struct, frozen=True):
    """A module with one thing changed."""

    file: str
    what: str
    """What Cosmic Ray, or we, call such a change."""
    changed: str

    def beside(self, sound: str) -> str:
        """Return what was changed, beside the module as it was."""
        lines = difflib.unified_diff(
            sound.splitlines(), self.changed.splitlines(), lineterm="", n=1
        )
        return "\n".join([f"{self.file}: {self.what}", *list(lines)[2:]])


@dataclass(slots=True)
class _Count:
    """Of one room."""

    there_are: int = 0
    equivalent: int = 0
    made: int = 0
    killed: int = 0
    hung: int = 0

    def __str__(self) -> str:
        whole = self.there_are - self.equivalent
        sampled = "" if self.made == whole else f" (taken evenly from {whole})"
        hung = f", {self.hung} of them hung" if self.hung else ""
        return (
            f"{self.killed} of {self.made} killed{sampled}{hung};"
            f" {self.equivalent} more are the same program"
        )


def _made(files: Sequence[str]) -> Iterator[Mutant]:
    """Let them be made, file by file."""
    made = subprocess.run(
        [MAKES, ROOT / "tests" / "mutants" / "made.py", *files],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    for line in made.stdout.splitlines():
        yield msgspec.json.decode(line, type=Mutant)


def _is_same_program(mutant: Mutant, known: set[tuple[str, str]]) -> bool:
    return (mutant.file, shape(mutant.changed)) in known


def _known() -> set[tuple[str, str]]:
    return {
        (each.module, shape(each.changed((ROOT / each.module).read_text("utf-8"))))
        for each in all_equivalents()
    }


def _evenly(mutants: list[Mutant], most: int | None) -> list[Mutant]:
    if most is None or most >= len(mutants):
        return mutants
    return [mutants[number * len(mutants) // most] for number in range(most)]


def _tried(copy: Path, room: Room, chosen: list[Mutant], count: _Count) -> None:
    """Try each; print what survives."""
    begun = time.monotonic()
    _must_be_sound(copy, room)
    seconds = _LEAST_SECONDS + _HUNG * round(time.monotonic() - begun)
    for mutant in chosen:
        sound = (copy / mutant.file).read_text("utf-8")
        with wrong(copy / mutant.file, mutant.changed):
            told: Told = run(
                copy, room.tests(), seconds=seconds, most_bytes=_MOST_BYTES
            )
        count.made += 1
        count.killed += not told.is_sound
        count.hung += told.hung
        if told.is_sound:
            print(f"SURVIVED {mutant.beside(sound)}\n", flush=True)
    _must_be_sound(copy, room)


def _must_be_sound(copy: Path, room: Room) -> None:
    """Run the tests without any change: before, and again when all were tried.

    Where they do not even begin, everything would be killed.
    """
    sound = run(copy, room.tests(), seconds=WHOLE_SECONDS, whole=True)
    if not sound.is_sound:
        raise SystemExit(f"{room.name}: without any change: {sound}")


def main(arguments: Sequence[str]) -> int:
    """Try the rooms that are named, or all."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[r.name for r in all_rooms()])
    parser.add_argument("--most", type=int)
    parser.add_argument("--only", nargs="*", default=[])
    wanted = parser.parse_args(arguments)
    be_ready()
    known, survived = _known(), 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        copy_tree(copy)
        for room in all_rooms():
            if wanted.rooms and room.name not in wanted.rooms:
                continue
            files = [
                each
                for each in room.files()
                if not wanted.only or any(word in each for word in wanted.only)
            ]
            every = list(_made(files))
            others = [each for each in every if not _is_same_program(each, known)]
            count = _Count(len(every), len(every) - len(others))
            begun = time.monotonic()
            _tried(copy, room, _evenly(others, wanted.most), count)
            seconds = time.monotonic() - begun
            print(f"{room.name}: {count}, {seconds:.0f} s", flush=True)
            survived += count.made - count.killed
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
