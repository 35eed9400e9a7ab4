"""The evidence as a table: searched while one types, each event opened at its card."""

from __future__ import annotations

from dataclasses import replace

from kiosk.authority.office.list_values import (
    EvidenceRow,
)
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go, stay
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.events import COLUMNS, row
from kiosk.desk.tables import Column, Look, Table, TableRow
from kiosk.desk.views import Emit, Filled, Page, PageField, PageLine, Style

_HOLDER = Column("holder", Message("desk.column.holder"), 13, 2)


class EvidencePage(Plain):
    """Words that an event has in it, or an event's number."""

    def __init__(self) -> None:
        self._look = Look()
        self._credentials: dict[str, str] = {}
        """Which credential a row is about."""

    def show(self, context: Context) -> Page:
        look = self._look
        found = context.office.evidence(look.term, most=look.rows + 1)
        shown = found.rows[: look.rows]
        rows = tuple(_row(each) for each in shown)
        self._credentials = {
            made.key: each.event.credential
            for made, each in zip(rows, shown, strict=True)
        }
        return Page(
            name="evidence",
            title=Message("desk.evidence.title"),
            lines=tuple(PageLine(each, Style.WARNING) for each in found.missing),
            fields=(
                PageField(
                    name="term",
                    label=Message("desk.evidence.term"),
                    value=look.term,
                ),
            ),
            table=Table(
                columns=(*COLUMNS[:2], _HOLDER, *COLUMNS[2:]),
                rows=rows,
                has_more=len(found.rows) > look.rows,
                at=look.at,
            ),
            finds=True,
        )

    def look(self, look: Look) -> None:
        self._look = look

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        self._look = Look(term=filled.texts["term"])
        return stay()

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        credential = self._credentials.get(key, "")
        if not credential:
            return stay(Message("desk.evidence.no_card"))
        self._look = replace(self._look, at=key)
        return go(CredentialPage(credential))


def _row(each: EvidenceRow) -> TableRow:
    event = each.event
    made = row(event, key=f"{event.lane} {event.seq}")
    return replace(made, cells=(*made.cells[:2], each.holder or "–", *made.cells[2:]))
