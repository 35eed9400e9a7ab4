"""After-care: does some device still try the old password?"""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, stay
from kiosk.desk.views import Choice, Emit, Page, PageLine, Style
from storage.records import Credential


class WatchPage(Plain):
    """Asks the DC that took the last write, each time the page is shown.

    Each DC counts for itself. If that one is away another is asked, and named.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        seen = context.office.lockout(self._credential.id)
        count = Message(
            "desk.watch.count", {"count": seen.bad_passwords, "dc": seen.dc}
        )
        lines = [PageLine(Message("desk.watch.about")), PageLine(count, Style.STRONG)]
        if seen.last_bad is not None:
            at = Message("desk.watch.last", {"at": int(seen.last_bad)})
            lines.append(PageLine(at))
        if seen.locked:
            lines.append(PageLine(Message("desk.watch.locked"), Style.WARNING))
        else:
            lines.append(PageLine(Message("desk.watch.not_locked")))
        return Page(
            name="watch",
            title=Message("desk.watch.title", {"account": self._credential.account}),
            lines=tuple(lines),
            choices=(Choice("again", Message("desk.watch.again")),),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        return stay()
