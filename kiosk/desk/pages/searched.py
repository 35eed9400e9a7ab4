"""A table that is searched while one types: the same on every page that is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, stay
from kiosk.desk.tables import Look, Table, nothing_for
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField, PageLine

_TERM = "term"


class SearchedPage(Plain):
    """Keeps what somebody looks for; a subclass says what is found."""

    def __init__(self, look: Look | None = None) -> None:
        """`look`: how it is looked at to begin with."""
        self._look = look or Look()

    def look(self, look: Look) -> None:
        self._look = look

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        self._look = replace(self._look, term=filled.texts[_TERM])
        return stay()

    def _searched(
        self,
        name: str,
        title: Message,
        term: Message,
        table: Table,
        lines: Iterable[PageLine] = (),
        choices: tuple[Choice, ...] = (),
    ) -> Page:
        """Return the page. `term`: what the field is called that is typed into.

        How far the table goes, and where its mark is, is the look's: a row more than
        it asks for says that there are others.
        """
        rows = table.rows[: self._look.rows]
        return Page(
            name=name,
            title=title,
            lines=tuple(lines),
            choices=choices,
            fields=(PageField(name=_TERM, label=term, value=self._look.term),),
            table=replace(
                table,
                rows=rows,
                has_more=len(table.rows) > len(rows),
                at=self._look.at,
                nothing=nothing_for(self._look.term),
            ),
            finds=True,
        )
