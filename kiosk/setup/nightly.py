"""The backups of one folder, each named by its moment: the newest are kept.

One at a time is made there: what is unfinished beside it was left by one that died.
Where a file system keeps no locks nobody can know that, and it stays.
"""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.core import private_files
from kiosk.core.errors import reason_of
from kiosk.setup.backup_folder import MANIFEST, BackupError, NotWritten, named
from storage.fileops import FileOps
from storage.lock_file import tried

LOCK = ".lock"
"""The file beside the backups that whoever makes one holds."""
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""What file systems of other machines say that keep none."""

_BY_MOMENT = "%Y-%m-%d-%H%M%S"
_NAME = re.compile(r"\d{4}-\d\d-\d\d-\d{6}")


class BeingMade(BackupError):
    """Another program is making a backup in that folder: `folder`."""

    code = "backup.being_made"


@dataclass(frozen=True, slots=True)
class Pruned:
    """A backup that was removed."""

    folder: Path
    was_whole: bool
    """False: whoever began it did not live to finish it."""


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Let nobody else make a backup in the folder meanwhile; False: it keeps no locks,
    and somebody may. BeingMade, NotWritten.
    """
    lock = folder / LOCK
    with ExitStack() as stack:
        with named(lock):
            private_files.make_folders_above(lock)
            is_ours = _taken(stack, lock)
        if is_ours is False:
            raise BeingMade(folder=str(folder))
        yield is_ours is not None


def _taken(stack: ExitStack, lock: Path) -> bool | None:
    """Take a lock; None: there are none. OSError."""
    try:
        return stack.enter_context(tried(FileOps(), lock, 0.0))
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None


def named_by_moment(folder: Path, now: float) -> Path:
    """Return the place of a backup among those of one folder."""
    return folder / time.strftime(_BY_MOMENT, time.localtime(now))


def newest(folder: Path) -> Path | None:
    """Return the newest whole backup of a folder."""
    whole = [path for path in folder.glob("*") if _is_whole(path)]
    return max(whole, default=None)


def _is_whole(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and (path / MANIFEST).is_file()


def prune(
    folder: Path, keep: int, made: Path, *, is_alone: bool = True
) -> tuple[Pruned, ...]:
    """Remove all but the newest `keep` backups of a folder, and unfinished older ones.

    `made`: the one that was just made. It is the newest, whatever the clock says or has
    said. What is not named by its moment is not ours and stays. `is_alone`: as `alone`
    said; what is unfinished stays where somebody may be making it. NotWritten.
    """
    ours = [path for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name)]
    whole = [path for path in ours if (path / MANIFEST).is_file() and path != made]
    kept = {made, *whole[max(0, len(whole) - keep + 1) :]}
    doomed = [
        path
        for path in ours
        if path not in kept and (path in whole or (is_alone and path < max(kept)))
    ]
    for path in doomed:
        try:
            shutil.rmtree(path)
        except OSError as error:
            reason = reason_of(error)
            raise NotWritten(file=str(path), reason=reason) from error
    return tuple(Pruned(path, path in whole) for path in doomed)
