"""A disk of a few megabytes, so that it is soon full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.not_run import not_run


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount one at `folder`: `options` as tmpfs has them, `size=1m,mode=0700`."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise not_run("These tests mount a small disk, which this user may not.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
