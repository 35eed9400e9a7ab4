"""What a machine needs to be a kiosk: units, rules and limits, as files to install.

Each file names where it belongs in its first line; `@kiosk@` stands for the program
and `@config@` for its configuration.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from kiosk.core.errors import KioskError, reason_of
from kiosk.core.private_files import folders_too

PACKAGED = Path("/usr/lib/pin-kiosk")
"""Where Debian's package has its environment."""
_MACHINE = ("90-pin-kiosk.conf", "logind.conf")
"""What turns the whole machine into a kiosk: never done by installing a package."""
_PLAIN = re.compile(r"(/[\w.,+@=-]+)+", re.ASCII)
"""A path that a unit may name as it is: absolute, with nothing to be quoted."""
_FIRST = "# install: "
_FIRST_JS = "// install: "


class UnitsNotInstalled(KioskError):
    """A file could not be written or removed: `file`, `reason`."""

    code = "units.not_installed"


class PartlyDone(KioskError):
    """A file could not be written or removed, after others were: `file`, `reason`,
    `done`.
    """

    code = "units.partly_done"


class NoPlaceForAUnit(KioskError):
    """A path that systemd would read as something else: `path`."""

    code = "config.no_place_for_a_unit"


class Changed(KioskError):
    """A file there is not what this program would write: `file`."""

    code = "units.changed"


@dataclass(frozen=True, slots=True)
class Unit:
    """One file, ready to be installed."""

    target: Path
    """Where it belongs, from the root."""
    text: str


def units(program: Path, config: Path) -> tuple[Unit, ...]:
    """Return every file for a machine that has program and configuration there.

    Where a package has brought the program, the package has brought its units, too.
    NoPlaceForAUnit.
    """
    for path in (program, config):
        if not _PLAIN.fullmatch(str(path)):
            raise NoPlaceForAUnit(path=str(path))
    found = []
    packaged = Path(sys.prefix) == PACKAGED
    folder = resources.files("kiosk.setup.units")
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        text = entry.read_text("utf-8") if entry.name.endswith(_ENDINGS) else ""
        first, _, rest = text.partition("\n")
        target = first.removeprefix(_FIRST).removeprefix(_FIRST_JS)
        if not text or target == first or (packaged and entry.name not in _MACHINE):
            continue
        filled = rest.replace("@kiosk@", str(program)).replace("@config@", str(config))
        found.append(Unit(Path(target), filled))
    return tuple(found)


_ENDINGS = (".service", ".timer", ".rules", ".conf", ".logrotate")


def difference(unit: Unit, root: Path) -> str:
    """Return how the file that is there differs, as a diff. Empty: none, or the same.

    NotInstalled where it cannot be read.
    """
    target = _below(root, unit)
    try:
        there = target.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = reason_of(error)
        raise UnitsNotInstalled(file=str(target), reason=reason) from error
    lines = difflib.unified_diff(
        there.splitlines(keepends=True),
        unit.text.splitlines(keepends=True),
        fromfile=str(target),
        tofile="Pin Kiosk",
    )
    return "".join(lines)


def write(found: Sequence[Unit], root: Path, *, over: bool = False) -> tuple[Path, ...]:
    """Write them below `root` (0644); all or none. NotInstalled, Changed.

    What is there already and the same is left alone; what differs is replaced only
    if `over`: a file system that then refuses a rename between others is PartlyDone.
    """
    differing = [unit for unit in found if difference(unit, root)]
    if differing and not over:
        raise Changed(file=str(_below(root, differing[0])))
    new = [unit for unit in found if not _below(root, unit).exists()]
    wanted = {_below(root, unit): unit for unit in (*new, *differing)}
    placed: list[Path] = []
    with folders_too(wanted):
        try:
            for target, unit in wanted.items():
                with _named(target):
                    _prepare(unit, target)
            for target in wanted:
                with _named(target):
                    _scratch(target).replace(target)
                placed.append(target)
        except BaseException as error:
            for target in wanted:
                with suppress(OSError):  # what has ended it says more
                    _scratch(target).unlink(missing_ok=True)
            replaced = _without(placed, [_below(root, unit) for unit in new])
            if replaced and isinstance(error, UnitsNotInstalled):
                raise PartlyDone(**error.data, done=_listed(replaced)) from error
            raise
    return tuple(placed)


def remove(
    found: Sequence[Unit], root: Path, *, over: bool = False
) -> tuple[Path, ...]:
    """Remove them from below `root`; what differs only if `over`.

    Changed, NotInstalled, PartlyDone.
    """
    there = [unit for unit in found if _below(root, unit).exists()]
    for unit in there:
        if difference(unit, root) and not over:
            raise Changed(file=str(_below(root, unit)))
    removed: list[Path] = []
    for unit in there:
        target = _below(root, unit)
        try:
            with _named(target):
                target.unlink()
        except UnitsNotInstalled as error:
            if not removed:
                raise
            raise PartlyDone(**error.data, done=_listed(removed)) from error
        removed.append(target)
    return tuple(removed)


def _below(root: Path, unit: Unit) -> Path:
    return root / unit.target.relative_to("/")


def _scratch(target: Path) -> Path:
    """Name the file beside a place that is written first."""
    return target.with_name(f".{target.name}.new")


def _prepare(unit: Unit, target: Path) -> None:
    """Write a file beside its place. OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    handle = os.open(_scratch(target), flags, 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(handle, 0o644)
        stream.write(unit.text)
        stream.flush()
        os.fsync(handle)


def _without(placed: Sequence[Path], new: Sequence[Path]) -> list[Path]:
    """Remove again what is new; return the others, whose old text is gone."""
    for target in placed:
        if target in new:
            with suppress(OSError):
                target.unlink(missing_ok=True)
    return [target for target in placed if target not in new]


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(str(file) for file in files)


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the file."""
    try:
        yield
    except OSError as error:
        reason = reason_of(error)
        raise UnitsNotInstalled(file=str(target), reason=reason) from error
