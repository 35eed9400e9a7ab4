"""Evidence: verify the chains, one receipt, and export it for somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import JudgedEvidence
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, done, go, stay
from kiosk.desk.export import to_file
from kiosk.desk.how_far import HowFar
from kiosk.desk.pages.receipt import ReceiptPage
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField, PageLine, Style


class AuditPage(Plain):
    """One field (a receipt's number or a file's name), and what to do with it."""

    def __init__(self) -> None:
        self._found: tuple[PageLine, ...] = ()

    def show(self, context: Context) -> Page:
        context.require(Action.EXPORT)
        return Page(
            name="audit",
            title=Message("desk.menu.audit"),
            lines=self._found,
            fields=(
                PageField(name="receipt", label=Message("desk.field.receipt")),
                PageField(name="file", label=Message("desk.field.export_file")),
            ),
            action=Message("desk.audit.action"),
            choices=(Choice("verify", Message("desk.audit.verify")),),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        told = HowFar(emit, context.site)
        self._found = tuple(_verified(context.office.verified(told)))
        return stay()

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        context.require(Action.EXPORT)
        receipt, file = filled.texts["receipt"].strip(), filled.texts["file"].strip()
        if receipt and file:
            return stay(Message("desk.audit.one_of_them"))
        if receipt:
            return go(ReceiptPage(receipt))
        if file:
            site, told = context.site, HowFar(emit, context.site)
            count = to_file(context.office, site.files, file, station=None, told=told)
            return done(Message("desk.audit.exported", {"count": count, "file": file}))
        return stay(Message("desk.audit.nothing"))


def _verified(judged: JudgedEvidence) -> Iterator[PageLine]:
    """Show what all evidence shows, or what is wrong with it."""
    if judged.damage is not None:
        yield PageLine(judged.damage, Style.WARNING)
    for finding in judged.unproven:
        where: dict[str, str | int] = {"station": finding.station, "seq": finding.seq}
        yield PageLine(Message("desk.audit.unproven", where), Style.WARNING)
        yield PageLine(finding.reason)
    style = Style.DONE if judged.is_anchored else Style.WARNING
    for message in judged.told:
        yield PageLine(message, style)
