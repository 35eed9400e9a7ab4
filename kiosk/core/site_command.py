"""A command of the site's own (a printer, a mailer): text on its standard input.

No shell is between, and what it prints is not read. Any thread but the UI's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from kiosk.core.errors import reason_of

SECONDS = 20.0
"""After which a command that has not ended did not take its text."""


def refusal_of(command: Sequence[str], text: str) -> str:
    """Hand `text` over; return why it was not taken, empty if it was.

    Blocks at most `SECONDS`.
    """
    if not command:
        return "there is no command"
    try:
        done = subprocess.run(  # noqa: S603 - the site's own command, no shell
            list(command),
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except OSError as error:
        return reason_of(error)
    except subprocess.TimeoutExpired:
        return "it took too long"
    return f"exit code {done.returncode}" if done.returncode else ""
