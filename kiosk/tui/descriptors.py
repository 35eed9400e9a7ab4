"""The screen on a descriptor of its own, so that nothing else is drawn into it.

The screens are on standard output. What C libraries and Python itself write there, or
to a standard error that is a terminal as well, would be drawn into the picture: while
the kiosk runs, those lead nowhere, and the screen has another descriptor. A standard
error that leads to a journal or a file stays: that is where it is wanted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2


@contextmanager
def screen_of_its_own() -> Iterator[None]:
    """Give the driver a copy of standard output, and nobody else the original."""
    before = sys.__stdout__
    others = [_STANDARD_OUTPUT]
    if os.isatty(_STANDARD_ERROR):
        others.append(_STANDARD_ERROR)
    kept = [os.dup(each) for each in others]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for each in others:
        os.dup2(nowhere, each)
    os.close(nowhere)
    with os.fdopen(kept[0], "w", encoding="utf-8", closefd=False) as screen:
        _set_stdout(screen)
        try:
            yield
        finally:
            _set_stdout(before)
            for original, each in zip(kept, others, strict=True):
                os.dup2(original, each)
                os.close(original)


def _set_stdout(stream: TextIO | None) -> None:
    """The driver takes `sys.__stdout__` when it starts."""
    setattr(sys, "__stdout__", stream)  # noqa: B010 - typed as final; this is its use
