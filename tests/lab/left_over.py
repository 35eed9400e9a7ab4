"""What the laboratory leaves in the system's temporary folder: it goes with the run.

Within the run: with `atexit`, a worker would be killed after ten seconds of clearing.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

_AT_THE_END = ExitStack()
atexit.register(_AT_THE_END.close)  # of a program that is no run of pytest


def at_the_end(end: Callable[[], object]) -> None:
    """Have something done when this process has done its tests; the last one first."""
    _AT_THE_END.callback(end)


def own_folder(prefix: str, where: str | None = None) -> Path:
    """Make a folder that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
    at_the_end(partial(shutil.rmtree, folder, ignore_errors=True))
    return folder


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Clear away."""
    _AT_THE_END.close()
