"""One operation, followed through the evidence: to read, and to take away on paper."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import Receipt
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, stay
from kiosk.desk.pages.events import actor_in_words, in_words
from kiosk.desk.pages.times import zoned
from kiosk.desk.views import Choice, Emit, Page, PageLine, Style
from storage.records import AuditEvent


class ReceiptPage(Plain):
    """Printing it is noted first, as every copy that leaves."""

    def __init__(self, number: str) -> None:
        """`number`: the one that a person reads out, or the operation's own."""
        self._number = number
        self._is_to_print = False

    def show(self, context: Context) -> Page:
        context.require(Action.EXPORT)
        found = context.office.receipt(self._number)
        is_to_print, self._is_to_print = self._is_to_print, False
        title = Message("desk.receipt.title")
        lines = tuple(_lines(found, self._number))
        can = Choice(
            "print", Message("desk.receipt.print"), letter="p", needs_printer=True
        )
        return Page(
            name="receipt",
            title=title,
            lines=lines,
            choices=() if found is None else (can,),
            paper=(PageLine(title), *lines) if is_to_print else (),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        found = context.office.receipt(self._number)
        if found is not None:
            context.office.note_export(found.number)
            self._is_to_print = True
        return stay()


def _lines(found: Receipt | None, number: str) -> Iterator[PageLine]:
    if found is None:
        nothing = Message("desk.nothing_found", {"term": number})
        yield PageLine(nothing, Style.WARNING)
        return
    yield PageLine(found.number, label=Message("desk.receipt.number"))
    yield PageLine(found.holder, label=Message("desk.column.holder"))
    if found.unproven is not None:
        yield PageLine(found.unproven, Style.WARNING)
    elif found.wrote:
        yield PageLine(Message("desk.audit.receipt_sound"), Style.DONE)
    else:
        yield PageLine(Message("desk.audit.receipt_no_write"))
    for event in found.events:
        yield from _step(event)


def _step(event: AuditEvent) -> Iterator[PageLine]:
    """Show one event; below it why it was refused, and what the DC itself answered."""
    told = (in_words(event.kind), "  ", actor_in_words(event.actor))
    yield PageLine((zoned(event.at), "  ", *told, "  ", event.station))
    if event.result:
        code = {"code": event.data.get("hex", "–")}
        result = Message(event.result, code) if "." in event.result else event.result
        yield PageLine(("    ", result), Style.MUTED)
    if "ldap_result" in event.data:
        answered: dict[str, str | int] = {
            "dc": event.data.get("dc", ""),
            "result": event.data["ldap_result"],
            "hex": event.data.get("hex", "–"),
        }
        yield PageLine(Message("desk.audit.answered", answered))
        if said := event.data.get("said", ""):
            yield PageLine(("    ", said), Style.MUTED)
