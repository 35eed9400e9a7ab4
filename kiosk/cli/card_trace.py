"""Where an APDU trace is written: to a private file, or printed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.cards.trace import Trace
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of


class TraceNotWritable(KioskError):
    """The trace cannot be written: `file`, `reason`."""

    code = "cli.trace_not_writable"


@contextmanager
def trace_to(file: Path) -> Iterator[Trace]:
    """Open a trace that adds to `file`, made 0600. TraceNotWritable."""
    try:
        opened = private_files.opened_to_append(file)
    except OSError as error:
        reason = reason_of(error)
        raise TraceNotWritable(file=str(file), reason=reason) from error
    with opened as raw, io.TextIOWrapper(raw, "utf-8", line_buffering=True) as stream:
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
