"""Paper for a person to take along: what changed, where, and what to do next.

Through the site's own command (`lp`), which gets the text on its standard input. It
never carries a PIN: it is made of the sentences that the screen shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.core.errors import KioskError
from kiosk.core.site_command import refusal_of


class NotPrinted(KioskError):
    """The command did not take the text: `command`, `reason`."""

    code = "printing.failed"


def print_text(command: Sequence[str], text: str) -> None:
    """Hand the text to the command. Blocks for seconds at most. NotPrinted."""
    if reason := refusal_of(command, text):
        raise NotPrinted(command=command[0], reason=reason)
