"""No test leaves files open: the process that runs it runs thousands of others."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

_OWN = Path("/proc/self/fd")
_A_FEW = 16
"""What fixtures of the whole run may open meanwhile."""


def open_files() -> int:
    """Return how many descriptors this process has."""
    return len(list(_OWN.iterdir()))


@pytest.fixture(autouse=True)
def _files_are_closed() -> Iterator[None]:
    before = open_files()
    yield
    if open_files() > before + _A_FEW:
        gc.collect()
        left = open_files() - before
        assert left <= _A_FEW, f"{left} files were left open"
