"""The evidence as a table: searched while one types, each event opened at its card."""

from __future__ import annotations

from dataclasses import replace

from kiosk.authority.office.list_values import (
    EvidenceRow,
)
from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk import export
from kiosk.desk.context import Context, Move, Plain, done, go, stay
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.events import COLUMNS, row
from kiosk.desk.pages.receipt import ReceiptPage
from kiosk.desk.pages.searched import SearchedPage
from kiosk.desk.tables import Column, Table, TableRow
from kiosk.desk.views import (
    Choice,
    Emit,
    Filled,
    Page,
    PageField,
    PageLine,
    Style,
)
from storage.records import AuditEvent

_RECEIPT = "receipt"
_HOLDER = Column("holder", Message("desk.column.holder"), 13, 2)


class EvidencePage(SearchedPage):
    """Words that an event has in it, or an event's number."""

    def __init__(self) -> None:
        super().__init__()
        self._events: dict[str, AuditEvent] = {}
        """What each row is."""

    def show(self, context: Context) -> Page:
        look = self._look
        found = context.office.evidence(look.term, most=look.rows + 1)
        rows = tuple(map(_row, found.rows))
        self._events = {
            made.key: each.event for made, each in zip(rows, found.rows, strict=True)
        }
        lines = [PageLine(each, Style.WARNING) for each in found.missing]
        if found.is_cut:
            lines.append(PageLine(Message("desk.evidence.cut"), Style.WARNING))
        return self._searched(
            "evidence",
            Message("desk.evidence.title"),
            Message("desk.evidence.term"),
            Table(columns=(*COLUMNS[:2], _HOLDER, *COLUMNS[2:]), rows=rows),
            lines,
            (
                Choice("export", Message("desk.evidence.export"), letter="f4"),
                Choice(
                    _RECEIPT,
                    Message("desk.evidence.receipt"),
                    letter="ctrl+r",
                    of_row=True,
                ),
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        if key == "export":
            return go(EvidenceFilePage(self._look.term))
        kind, _, row_key = key.partition(" ")
        is_receipt = kind == _RECEIPT
        row_key = row_key if is_receipt else key
        event = self._events.get(row_key)
        about = "" if event is None else event.credential
        if is_receipt:
            about = "" if event is None else event.operation
        if not about:
            lacks = "no_receipt" if is_receipt else "no_card"
            return stay(Message(f"desk.evidence.{lacks}"))
        self._look = replace(self._look, at=row_key)
        return go(ReceiptPage(about) if is_receipt else CredentialPage(about))


class EvidenceFilePage(Plain):
    """Asks for the name of a new file for the rows that were found."""

    def __init__(self, term: str) -> None:
        self._term = term

    def show(self, context: Context) -> Page:
        context.require(Action.EXPORT)
        told: dict[str, str | int] = {"term": self._term or "–", "most": export.MOST}
        return Page(
            name="evidence_file",
            title=Message("desk.evidence.title"),
            lines=(PageLine(Message("desk.evidence.export_about", told)),),
            fields=(
                PageField(name="file", label=Message("desk.risk.file"), is_needed=True),
            ),
            action=Message("desk.evidence.export"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        name, files = filled.texts["file"].strip(), context.site.files
        count = export.events_to_file(context.office, files, name, self._term)
        told: dict[str, str | int] = {"count": count, "file": name}
        return done(Message("desk.audit.exported", told), back=1)


def _row(each: EvidenceRow) -> TableRow:
    event = each.event
    made = row(event, key=f"{event.lane} {event.seq}")
    return replace(made, cells=(*made.cells[:2], each.holder or "–", *made.cells[2:]))
