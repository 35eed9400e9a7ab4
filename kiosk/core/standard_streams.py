"""The three streams that a program begins with: there, even if nobody gave them.

Where one is closed (`>&-`, a supervisor that is sparing), the next file that is opened
takes its number, and what a library says on that number would be written into it: into
the registry.
"""

from __future__ import annotations

import os
import sys

_OPENED = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
"""Output fails where nobody takes it; of what goes wrong, nobody can be told."""


def complete() -> None:
    """Open what is closed, before anything else is opened. Main thread."""
    for number, (name, flags) in enumerate(_OPENED):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # which takes the lowest number that is free
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
            setattr(sys, name, stream)
