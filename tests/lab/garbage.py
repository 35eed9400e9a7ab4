"""Python's garbage collector, kept away from what a run has for all of its tests.

Thousands of tests and everything that was imported for them stay to the end. Looked
through at every turn for garbage that it cannot be, they took an eighth of the time.
"""

from __future__ import annotations

import gc

import pytest

_NEW = 10_000
"""How many new objects make it look; Python's own is 700, or 2,000."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave alone what there is now. In each worker, before its first test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, *gc.get_threshold()[1:])
