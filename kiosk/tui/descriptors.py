"""The screen on a descriptor of its own, so that nothing else is drawn into it.

Textual draws on standard error. So do C libraries when something goes wrong (PC/SC
does), and Python when it crashes. While the kiosk runs, descriptor 2 leads nowhere
and the screen has another one.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

log = logging.getLogger(__name__)

_STANDARD_ERROR = 2


@contextmanager
def screen_of_its_own() -> Iterator[None]:
    """Give Textual a copy of standard error, and nobody else the original."""
    before = sys.__stderr__
    screen = os.fdopen(os.dup(_STANDARD_ERROR), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    os.close(nowhere)
    _set_stderr(screen)
    try:
        yield
    finally:
        _set_stderr(before)
        os.dup2(screen.fileno(), _STANDARD_ERROR)
        _close(screen)


def _set_stderr(stream: TextIO | None) -> None:
    """Textual's driver takes `sys.__stderr__` when it starts."""
    setattr(sys, "__stderr__", stream)  # noqa: B010 - typed as final; this is its use


def _close(screen: TextIO) -> None:
    """Close it; a terminal that is gone takes no last words."""
    try:
        screen.close()
    except OSError as error:
        log.info("ui.terminal_gone errno=%s", error.errno)
