"""The three streams that a program begins with: there, and able to say everything.

Where one is closed (`>&-`, a supervisor that is sparing), the next file that is opened
takes its number, and what a library says on that number would be written into it: into
the registry.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

_OPENED = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
"""Output fails where nobody takes it; of what goes wrong, nobody can be told."""


def complete() -> None:
    """Open what is closed, before anything else is opened. Main thread.

    Where the locale is none of UTF-8's, a terminal is shown `?` for what it cannot
    show, and what goes elsewhere is UTF-8: a file that is read again must be whole.
    """
    for number, (name, flags) in enumerate(_OPENED):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # which takes the lowest number that is free
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper) or _is_utf8(stream.encoding):
            continue
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"
