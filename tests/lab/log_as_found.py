"""Each test leaves the root logger as it found it.

A program's log goes to standard error, and that of a test is closed after it: what a
later test's program has to say would end in an error of the log's own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        stream = getattr(handler, "stream", None)
        if getattr(stream, "closed", False):
            root.removeHandler(handler)
