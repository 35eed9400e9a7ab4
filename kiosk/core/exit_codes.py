"""What `kiosk` ends with, for scripts and service managers.

The numbers above 3 are those of sysexits(3) and of the shell, so that a service
manager's own rules fit.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The process's status; docs/commands.md lists them for users."""

    OK = 0
    """Everything asked for was done, and everything checked holds."""
    FAILED = 1
    """It was refused, did not hold, or could not be done; the reason was printed."""
    USAGE = 2
    """The command line, a configuration or another file is not as it must be."""
    UNANCHORED = 3
    """Evidence fits together, but nothing known from elsewhere vouches for it."""
    UNEXPECTED = 70
    """A defect of the program: what happened is in the log, without any values."""
    TERMINAL_GONE = 75
    """The terminal went away; start the kiosk again."""
    INTERRUPTED = 130
    """Ctrl+C."""
    UNREAD = 141
    """Whoever read the output (`kiosk … | head`) has closed it; nothing is said."""
