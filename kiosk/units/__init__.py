"""What a machine needs to be a kiosk: units, rules and limits, as files to install.

Each file names where it belongs in its first line; `@kiosk@` stands for the program
and `@config@` for its configuration.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from kiosk.errors import KioskError

_FIRST = "# install: "
_FIRST_JS = "// install: "


class NotInstalled(KioskError):
    """A file could not be written, or is there already: `file`, `reason`."""

    code = "units.not_installed"


@dataclass(frozen=True, slots=True)
class Unit:
    """One file, ready to be installed."""

    target: Path
    """Where it belongs, from the root."""
    text: str


def units(program: Path, config: Path) -> tuple[Unit, ...]:
    """Return every file for a machine that has program and configuration there."""
    found = []
    folder = resources.files("kiosk.units")
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        text = entry.read_text("utf-8") if entry.name.endswith(_ENDINGS) else ""
        first, _, rest = text.partition("\n")
        target = first.removeprefix(_FIRST).removeprefix(_FIRST_JS)
        if not text or target == first:
            continue
        filled = rest.replace("@kiosk@", str(program)).replace("@config@", str(config))
        found.append(Unit(Path(target), filled))
    return tuple(found)


_ENDINGS = (".service", ".timer", ".rules", ".conf", ".logrotate")


def write(found: tuple[Unit, ...], root: Path) -> tuple[Path, ...]:
    """Write them below `root`, over nothing (0644); all or none. NotInstalled."""
    written: list[Path] = []
    try:
        for unit in found:
            target = root / unit.target.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            written.append(target)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(unit.text)
    except OSError as error:
        for target in written:
            target.unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise NotInstalled(file=str(error.filename), reason=reason) from error
    return tuple(written)
