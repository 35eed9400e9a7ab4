"""A batch: a list of people, card after card, with a running list and a result file."""

from __future__ import annotations

from pathlib import Path

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.batch import Batch, Row, RowState, read_batch
from kiosk.desk.context import Context, Move, Plain, instead, stay
from kiosk.desk.personalise import TOKEN_PIN, asked_for, personalise
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField, PageLine, Style

_SHOWN = 12
_MARKS = {
    RowState.WAITING: "·",
    RowState.DONE: "✓",
    RowState.SKIPPED: "–",
    RowState.FAILED: "✗",
}


class BatchPage(Plain):
    """Asks for the file; every line is checked before the first card is touched."""

    def show(self, context: Context) -> Page:
        context.require(Action.ISSUE)
        return Page(
            name="batch",
            title=Message("desk.menu.batch"),
            lines=(PageLine(Message("desk.batch.about")),),
            fields=(PageField(name="file", label=Message("desk.field.batch_file")),),
            action=Message("desk.batch.check"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        path = Path(filled.texts["file"].strip()).expanduser()
        return instead(BatchRunPage(read_batch(context.office, path)))


class BatchRunPage(Plain):
    """The list, the person whose card is next, and what has been done."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._handover: tuple[PageLine, ...] = ()
        """What goes with the last card; shown until the next one is begun."""

    def show(self, context: Context) -> Page:
        batch = self._batch
        row = batch.current
        lines = [*self._handover, *_summary(batch)]
        there = context.others_card() is not None
        if row is not None:
            lines.append(
                PageLine(
                    Message(
                        "desk.batch.next", {"name": row.name, "account": row.account}
                    ),
                    Style.STRONG,
                )
            )
            lines.append(
                PageLine(Message("desk.card_ready" if there else "desk.insert_blank"))
            )
        lines += [_line(each) for each in batch.around(_SHOWN)]
        skip = Choice("skip", Message("desk.batch.skip"))
        return Page(
            name="batch_run",
            title=Message("desk.menu.batch"),
            lines=tuple(lines),
            fields=asked_for(context, row.template) if there and row else (),
            action=Message("desk.personalise") if there and row is not None else None,
            asks_own_key=True,
            choices=(skip,) if row is not None else (),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        self._handover = ()
        self._batch.skip()
        return stay()

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card, row = context.others_card(), self._batch.current
        if card is None or row is None:
            return stay(Message("desk.insert_blank"))
        if self._batch.was_issued(card.insertion):
            return stay(Message("desk.batch.take_card"))
        self._handover = ()
        with self._batch.attempt(row):
            done = personalise(
                context,
                card,
                row.account,
                row.template,
                emit,
                filled.secrets.get(TOKEN_PIN),
            )
        self._handover = done.lines()
        self._batch.issued(row, done.credential, card.insertion)
        return stay()


def _summary(batch: Batch) -> list[PageLine]:
    told = {"done": batch.count(RowState.DONE), "all": len(batch.rows)}
    lines = [PageLine(Message("desk.batch.progress", told), Style.MUTED)]
    failed = batch.count(RowState.FAILED)
    if failed:
        lines.append(
            PageLine(Message("desk.batch.failed", {"count": failed}), Style.WARNING)
        )
    if batch.current is None:
        end = Message("desk.batch.end", {"file": str(batch.results)})
        lines.append(PageLine(end, Style.DONE))
    return lines


def _line(row: Row) -> PageLine:
    style = Style.WARNING if row.state is RowState.FAILED else Style.MUTED
    what = f"{_MARKS[row.state]} {row.number:>4}  {row.name}  {row.account}"
    return PageLine(f"{what}  {row.note}".rstrip(), style)
