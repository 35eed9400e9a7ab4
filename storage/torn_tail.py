"""What was being written when a process ended: cut off a journal, and kept aside.

It was never committed. A commit says so in the journal's own evidence, and lies behind
the place that was cut; until then whoever opens the registry has that still to do.
"""

from __future__ import annotations

from pathlib import Path

from storage.errors import StoreFull
from storage.fileops import FileOps


def place(journal: Path, seq: int) -> Path:
    """Return where that is kept which stood behind the commit of this number."""
    return journal.with_name(f"{journal.name}.torn-{seq + 1}")


def keep(ops: FileOps, journal: Path, seq: int, tail: bytes) -> Path:
    """Write it aside, durable; return where. StoreFull: nothing is left there."""
    aside = place(journal, seq)
    try:
        handle = ops.create(aside)
        try:
            ops.write(handle, tail)
            ops.fsync(handle)
        except OSError:
            ops.remove(aside)
            raise
        finally:
            ops.close(handle)
        ops.fsync_dir(journal.parent)
    except OSError as error:
        raise StoreFull(path=str(journal)) from error
    return aside
