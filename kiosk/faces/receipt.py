"""A result on paper for a person to take along: what changed, where, what to do next.

Printed by the site's own command (`lp`), which gets the text on its standard input. It
never carries a PIN: it is made of the sentences that the screen shows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiosk.core.errors import KioskError, Message
from kiosk.core.site_command import refusal_of
from kiosk.faces.wording import moment, said, say, whom_to_call

if TYPE_CHECKING:
    from kiosk.visit.station import FaceSettings
    from kiosk.visit.views import Result

log = logging.getLogger(__name__)


class NotPrinted(KioskError):
    """The command did not take the text: `command`, `reason`."""

    code = "printing.failed"


def page(settings: FaceSettings, result: Result) -> str:
    """Return what the screen says, with the time, as plain text. UI thread."""
    now = moment(time.localtime())
    lines = [
        settings.title,
        say("tui.result.printed_at", time=now, station=settings.station),
        "",
        said(result.headline),
        *(said(fact) for fact in result.facts),
        "",
        *(f"- {said(advice)}" for advice in result.advice),
        "",
    ]
    if result.event:
        lines.append(say("tui.result.event", event=result.event))
    lines.append(whom_to_call(settings.helpdesk))
    return "\n".join(lines) + "\n"


def print_text(command: Sequence[str], text: str) -> None:
    """Hand the text to the command. Blocks for seconds at most. NotPrinted."""
    if reason := refusal_of(command, text):
        raise NotPrinted(command=" ".join(command[:1]), reason=reason)


def sheet(settings: FaceSettings, told: Sequence[str]) -> str:
    """Return what a page of the desk says, with the time, as plain text. UI thread."""
    now = moment(time.localtime())
    printed = say("tui.result.printed_at", time=now, station=settings.station)
    return "\n".join([settings.title, printed, "", *told]) + "\n"


def print_page(settings: FaceSettings, text: str) -> Message:
    """Hand it to the site's printer; say what came of it. Authority worker."""
    try:
        print_text(settings.print_with, text)
    except NotPrinted as error:
        log.warning("ui.not_printed code=%s", error.code)
        return Message("printing.not_done")
    return Message("printing.done")
