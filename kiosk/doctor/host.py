"""The machine below: file modes, core dumps, swap, and whom it must trust."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk.config.sections.station import StationRole
from kiosk.core.errors import reason_of
from kiosk.doctor import Finding, fail, ok, unknown, warn

SWAPS = Path("/proc/swaps")


def secret_files(files: Sequence[Path]) -> Iterator[Finding]:
    """Files that hold secrets are ours, and nobody else may read them."""
    for file in files:
        try:
            status = file.stat()
        except OSError as error:
            reason = reason_of(error)
            yield fail("file", "file_missing", file=str(file), reason=reason)
            continue
        if status.st_uid != os.geteuid():
            yield fail("file", "file_not_ours", file=str(file))
        elif stat.S_IMODE(status.st_mode) & 0o077:
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            yield fail("file", "file_too_open", file=str(file), mode=mode)
        elif not status.st_size:
            yield fail("file", "file_empty", file=str(file))
        else:
            yield ok("file", "file_private", file=str(file))


def folders(paths: Sequence[Path]) -> Iterator[Finding]:
    """Nobody else may put another file in the place of ours."""
    for path in dict.fromkeys(paths):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            reason = reason_of(error)
            yield fail("folder", "file_missing", file=str(path), reason=reason)
            continue
        if mode & 0o022:
            yield fail(
                "folder", "folder_too_open", folder=str(path), mode=f"{mode:04o}"
            )
        else:
            yield ok("folder", "folder_closed", folder=str(path))


def core_dumps() -> Iterator[Finding]:
    """A core dump of this process would hold PINs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if soft or hard:
        yield fail("core dumps", "core_dumps_on")
    else:
        yield ok("core dumps", "core_dumps_off")


def swap(swaps: Path = SWAPS) -> Iterator[Finding]:
    """Memory that is swapped out is written to a disk."""
    try:
        devices = swaps.read_text("ascii").splitlines()[1:]
    except OSError:
        yield unknown("swap", "swap_unreadable")
        return
    if devices:
        yield warn("swap", "swap_on", devices=", ".join(d.split()[0] for d in devices))
    else:
        yield ok("swap", "swap_off")


def trust(role: StationRole) -> Iterator[Finding]:
    """Where nobody watches, an embedded authority must trust its own machine."""
    if role is StationRole.SELF_SERVICE:
        yield warn("trust", "unattended_authority")
    else:
        yield ok("trust", "attended_authority")
