"""The end of a program in which threads of a library's own code still run.

Such a thread that asks for the interpreter while Python takes it apart is ended by
Python in the middle of code that cannot be left so, and the whole process aborts
(SIGABRT) after all that it had to do was done well. A supervisor takes that for a
crash.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

_THEIRS = "granian"
"""The server of `kiosk serve`: its runtime's threads last as long as the process."""


def leaves_threads() -> bool:
    """Say whether a library has been loaded whose threads outlast what uses it."""
    return _THEIRS in sys.modules


def end_process(code: int) -> NoReturn:
    """End with `code`, once what was said is written. Main thread, all else closed.

    OSError: standard output cannot be written.
    """
    sys.stdout.flush()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
