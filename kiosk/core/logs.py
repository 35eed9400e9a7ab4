"""Where log lines go: a file, or standard error where that is not the screen.

Lines are event names with ids, never values; an exception is logged by its type and
frames where it is caught.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from kiosk.core.errors import KioskError, reason_of

FORMAT = "%(asctime)s %(levelname)s %(message)s"


class LogNotWritable(KioskError):
    """The log file cannot be written: `file`, `reason`."""

    code = "config.log_not_writable"


def set_up(file: Path | None, *, level: int = logging.INFO) -> None:
    """Send all log lines to `file`, made 0600, or to standard error.

    Without a file, nothing is logged while standard error is a terminal: it is the
    screen. LogNotWritable.
    """
    handler: logging.Handler
    if file is not None:
        handler = _private_file(file)
    elif sys.stderr.isatty():
        handler = logging.NullHandler()
    else:
        handler = logging.StreamHandler()
    logging.basicConfig(format=FORMAT, level=level, handlers=[handler], force=True)


def _private_file(file: Path) -> logging.Handler:
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        return logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        reason = reason_of(error)
        raise LogNotWritable(file=str(file), reason=reason) from error
