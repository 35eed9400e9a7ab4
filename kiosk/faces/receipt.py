"""A result on paper: what it says, and the site's printer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kiosk.core.errors import Message
from kiosk.faces.printer import NotPrinted, print_text
from kiosk.faces.wording import moment, said, say, whom_to_call

if TYPE_CHECKING:
    from kiosk.visit.station import FaceSettings
    from kiosk.visit.views import Result

log = logging.getLogger(__name__)


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


def print_page(settings: FaceSettings, text: str) -> Message:
    """Hand it to the site's printer; say what came of it. Authority worker."""
    try:
        print_text(settings.print_with, text)
    except NotPrinted as error:
        log.warning("ui.not_printed code=%s", error.code)
        return Message("printing.not_done")
    return Message("printing.done")
