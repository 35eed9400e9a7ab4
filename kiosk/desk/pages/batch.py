"""A batch: a list of people, card after card, with a running list and a result file."""

from __future__ import annotations

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.batch import Batch, BatchProblem, BatchWrong, Row, RowState, read_batch
from kiosk.desk.card_work import WorkBesideTheDesk, begin, must_be_free
from kiosk.desk.context import Context, Move, Plain, done, instead, stay
from kiosk.desk.how_far import HowFar
from kiosk.desk.pages import flow
from kiosk.desk.pages.work import REFRESH
from kiosk.desk.personalise import TOKEN_PIN, alone, asked_for
from kiosk.desk.tables import Column, Table, TableRow
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField, PageLine, Style

_PROBLEMS = (
    Column("line", Message("desk.column.line"), 5),
    Column("account", Message("desk.column.account"), 16, 1),
    Column("template", Message("desk.column.template"), 12, 1),
    Column("problem", Message("desk.column.problem"), 36, 3),
)
_ROWS = (
    Column("line", Message("desk.column.line"), 5),
    Column("result", Message("desk.column.result"), 11),
    Column("name", Message("desk.column.name"), 18, 2),
    Column("account", Message("desk.column.account"), 18, 1),
    Column("template", Message("desk.column.template"), 14),
)


class BatchPage(Plain):
    """Asks for the file; every line is checked before the first card is touched."""

    def __init__(self) -> None:
        self._problems: tuple[BatchProblem, ...] = ()

    def show(self, context: Context) -> Page:
        context.require(Action.ISSUE)
        return Page(
            name="batch",
            title=Message("desk.menu.batch"),
            flow=flow.batch("list"),
            lines=(PageLine(Message("desk.batch.about")),),
            fields=(PageField(name="file", label=Message("desk.field.batch_file")),),
            action=Message("desk.batch.check"),
            table=_to_correct(self._problems) if self._problems else None,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        must_be_free(context)  # how the card on its way ends is written there, too
        told = HowFar(emit, context.site)
        name = filled.texts["file"].strip()
        self._problems = ()
        try:
            batch = read_batch(context.office, context.site, name, told)
        except BatchWrong as error:
            self._problems = error.problems
            raise
        return instead(BatchRunPage(batch))


def _to_correct(problems: tuple[BatchProblem, ...]) -> Table:
    """Return every wrong line, with what has to be corrected there."""
    return Table(
        columns=_PROBLEMS,
        rows=tuple(
            TableRow(
                key=str(at),
                cells=(str(each.line), each.account, each.template, each.what),
                about=(PageLine(each.what),),
            )
            for at, each in enumerate(problems)
        ),
        opens=False,
    )


class BatchRunPage(Plain):
    """The list with how each line stands, and the person whose card is next."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._work: WorkBesideTheDesk | None = None
        """The card that is being issued, or was last: what goes with it is there until
        the next one is issued, or somebody says that it is handed over.
        """

    def show(self, context: Context) -> Page:
        batch, work = self._batch, self._work
        row = batch.current
        is_busy = work is not None and not work.is_over
        lines = [*(work.lines() if work is not None else ()), *_summary(batch)]
        card = context.others_card()
        is_issued = (
            card is not None and row is not None and batch.was_issued(card.insertion)
        )
        there = card is not None and not (is_busy or is_issued)
        if row is not None and not is_busy:
            person = {"name": row.name, "account": row.account}
            lines += [
                PageLine(Message("desk.batch.next", person), Style.STRONG),
                PageLine(_asked_of_card(is_there=there, is_issued=is_issued)),
                *alone(context.site),
            ]
        skip = Choice("skip", Message("desk.batch.skip"), letter="s")
        return Page(
            name="batch_run",
            title=Message("desk.menu.batch"),
            flow=flow.batch("results" if row is None else "cards"),
            lines=tuple(lines),
            fields=asked_for(context, row.template) if there and row else (),
            action=None if is_issued else self._action(is_there=there),
            asks_own_key=True,
            choices=(skip,) if row is not None and not is_busy else (),
            progress=work.progress if work is not None and is_busy else None,
            refresh=REFRESH if is_busy else 0.0,
            table=Table(
                columns=_ROWS,
                rows=tuple(map(_row, batch.rows)),
                opens=False,
                at="" if row is None else str(row.number),
            ),
            leaving=self._leaving(),
        )

    @property
    def _is_to_hand_over(self) -> bool:
        return self._work is not None and self._work.is_to_hand_over

    def _action(self, *, is_there: bool) -> Message | None:
        """Return what F2 does: the next card, or the end of what goes with the last."""
        if is_there and self._batch.current is not None:
            return Message("desk.personalise")
        return Message("desk.handover.action") if self._is_to_hand_over else None

    def _leaving(self) -> Message | None:
        is_over = self._batch.current is None
        if self._is_to_hand_over:
            return Message(f"desk.{'handover' if is_over else 'batch'}.leaving_pin")
        return None if is_over else Message("desk.batch.leaving")

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        if not self._is_to_hand_over:
            self._work = None
        self._batch.skip()
        return stay()

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card, row = context.others_card(), self._batch.current
        if card is None or row is None:
            return self._hand_over()
        if self._batch.was_issued(card.insertion):
            return stay(Message("desk.batch.take_card"))
        pin = filled.secrets.get(TOKEN_PIN)
        with self._batch.attempt(row):
            self._batch.begins(row, context.office)
            self._work = begin(
                context,
                card,
                row.account,
                row.template,
                pin,
                emit,
                lambda work: self._ended(row, work),
                follows=self._work,
            )
        return stay()

    def _hand_over(self) -> Move:
        """What goes with the last card is with its holder."""
        if self._work is None or not self._work.is_to_hand_over:
            return stay(Message("desk.insert_blank"))
        self._work.handed_over()
        return done(Message("desk.handover.done"))

    def _ended(self, row: Row, work: WorkBesideTheDesk) -> None:
        """Note how it ended, whatever page is shown now."""
        if work.credential is not None:
            self._batch.issued(row, work.credential, work.insertion)
        elif work.error is not None:
            self._batch.failed(row, work.error)


def _summary(batch: Batch) -> list[PageLine]:
    told = {"done": batch.count(RowState.DONE), "all": len(batch.rows)}
    lines = [PageLine(Message("desk.batch.progress", told), Style.MUTED)]
    if batch.not_written is not None:
        lines.append(PageLine(batch.not_written, Style.WARNING))
    failed = batch.count(RowState.FAILED)
    if failed:
        lines.append(
            PageLine(Message("desk.batch.failed", {"count": failed}), Style.WARNING)
        )
    if batch.current is None:
        end = Message("desk.batch.end", {"file": str(batch.results)})
        lines.append(PageLine(end, Style.DONE))
    return lines


def _row(row: Row) -> TableRow:
    problem = () if row.problem is None else (PageLine(row.problem, Style.WARNING),)
    return TableRow(
        key=str(row.number),
        cells=(
            str(row.number),
            Message(f"desk.row.{row.state}"),
            row.name,
            row.account,
            row.template,
        ),
        needs_somebody=row.state is RowState.FAILED,
        about=(PageLine(row.name, Style.STRONG), *problem),
    )


def _asked_of_card(*, is_there: bool, is_issued: bool) -> Message:
    """Say what is asked of the reader; `is_issued`: the last card is still in it."""
    if is_issued:
        return Message("desk.batch.take_card")
    return Message("desk.card_ready" if is_there else "desk.insert_blank")
