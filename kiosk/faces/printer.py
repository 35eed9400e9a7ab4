"""Paper for a person to take along: what changed, where, and what to do next.

Through the site's own command (`lp`), which gets the text on its standard input. It
never carries a PIN: it is made of the sentences that the screen shows.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from kiosk.core.errors import KioskError

SECONDS = 20.0


class NotPrinted(KioskError):
    """The command did not take the text: `command`, `reason`."""

    code = "printing.failed"


def print_text(command: Sequence[str], text: str) -> None:
    """Hand the text to the command. Blocks at most `SECONDS`. NotPrinted."""
    try:
        done = subprocess.run(  # noqa: S603 - the site's own command, no shell
            list(command),
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it took too long"
        raise NotPrinted(command=command[0], reason=str(reason)) from error
    if done.returncode:
        raise NotPrinted(command=command[0], reason=f"exit code {done.returncode}")
