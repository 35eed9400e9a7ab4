"""Worklists: what waits for somebody, the oldest first, as it is now."""

from __future__ import annotations

from dataclasses import replace

from kiosk.authority.office.list_values import (
    Worklist,
)
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.rows import opened, table
from kiosk.desk.views import Emit, Look, Page, PageLine, Style

REFRESH = 5.0
"""Seconds after which a list is read anew."""


class FoundPage(Plain):
    """One row for each; choosing one opens it, and the next case is one key away."""

    opens_cards = True

    def __init__(self, what: Worklist) -> None:
        self._what = what
        self._look = Look()

    def show(self, context: Context) -> Page:
        rows = table(context, self._look, self._what)
        nothing = PageLine(Message("desk.nothing_waits"), Style.DONE)
        return Page(
            name=f"found_{self._what}",
            title=Message(f"desk.list.{self._what}"),
            lines=() if rows.rows else (nothing,),
            table=rows,
            refresh=REFRESH,
        )

    def look(self, look: Look) -> None:
        self._look = look

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        self._look = replace(self._look, at=key)
        return go(CredentialPage(opened(key), self))

    def after(self, context: Context, id: str) -> str:
        """Return the case that follows; the first one if `id` has left the list."""
        ids = [opened(row.key) for row in table(context, self._look, self._what).rows]
        at = ids.index(id) + 1 if id in ids else 0
        following = ids[at] if at < len(ids) else ""
        self._look = replace(self._look, at=f"open:{following}")
        return following
