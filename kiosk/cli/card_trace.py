"""Where an APDU trace is written: to a private file, or printed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.cards.trace import Trace
from kiosk.core.errors import KioskError


class TraceNotWritable(KioskError):
    """The trace cannot be written: `file`, `reason`."""

    code = "cli.trace_not_writable"


@contextmanager
def trace_to(file: Path) -> Iterator[Trace]:
    """Open a trace that adds to `file`, made 0600. TraceNotWritable."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TraceNotWritable(file=str(file), reason=reason) from error
    with os.fdopen(descriptor, "a", buffering=1, encoding="utf-8") as stream:
        yield Trace(lambda line: print(line, file=stream))


@contextmanager
def trace_printed() -> Iterator[Trace]:
    """Open a trace that is printed."""
    yield Trace(lambda line: print(line, flush=True))


@contextmanager
def trace_if(file: Path | None) -> Iterator[Trace | None]:
    """Open a trace if there is a file for it. TraceNotWritable."""
    if file is None:
        yield None
        return
    with trace_to(file) as trace:
        yield trace
