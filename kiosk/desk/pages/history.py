"""What happened to a credential, newest first, with who did it."""

from __future__ import annotations

import datetime

from kiosk.authority.office.credential_view import view
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Plain
from kiosk.desk.views import Page, PageLine, Style
from storage.records import AuditEvent, Credential

MOST = 200
_LONGEST = 64


class HistoryPage(Plain):
    """Every audit event of one credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        seen = view(context.desk, self._credential)
        newest = list(reversed(seen.history))[:MOST]
        return Page(
            name="history",
            title=Message("desk.history", {"holder": self._credential.holder}),
            lines=tuple(line for event in newest for line in _lines(event)),
        )


def _lines(event: AuditEvent) -> list[PageLine]:
    who = f"{moment(event.at)}  {event.kind}  {event.actor}  {event.station}"
    details = "  ".join(
        f"{name} {value}"
        for name, value in event.data.items()
        # Keys and signatures are for the exported evidence.
        if len(value) <= _LONGEST or name == "said"
    )
    lines = [PageLine(who)]
    if details or event.result:
        lines.append(PageLine(f"    {event.result} {details}".rstrip(), Style.MUTED))
    return lines


def moment(at: float) -> str:
    """Return a time as people read it, in this machine's zone."""
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    return local.strftime("%Y-%m-%d %H:%M")
