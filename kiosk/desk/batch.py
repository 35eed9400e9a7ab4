"""A batch of cards: read whole, checked whole, then one card after the other.

The file is CSV with a header: `account` and `template`. The result file stands beside
it, one line more before and after each card, so that it is right whenever the batch is
broken off, and what is done already is known when the same file is read again. A card
that was begun, and of which nothing more stands there, is looked up then: if it was
issued all the same, only the last words were lost, and its line is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath

from kiosk.authority.office.list_values import Wanted
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.ports import OFFICE_ERRORS, Office, RecordMissing
from kiosk.cards.errors import CardRemoved
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.desk import sheet
from kiosk.desk.context import Site
from kiosk.desk.files import FileRefused, StationFiles, results_beside
from kiosk.desk.personalise import MiddlewareElsewhere, refusal_here
from kiosk.desk.sheet import BatchUnreadable, SheetLine
from statemachine.lifecycle import State
from storage.records import Credential

MOST = 10_000
"""Lines; more is a mistake."""
_MOST_OF_ONE = 100
"""Cards of one person that are looked at."""
_COLUMNS = ("account", "template")
_RESULTS = ("line", "account", "template", "result", "card", "reason")
Told = Callable[[int, int], None]
"""Hears how many accounts were looked up, and of how many."""


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """What has to be corrected in one line."""

    line: int
    account: str
    template: str
    what: Message


class BatchWrong(KioskError):
    """Lines of the file are wrong; nothing was begun: `file`, `count`."""

    code = "desk.batch_wrong"

    def __init__(self, file: str, problems: tuple[BatchProblem, ...]) -> None:
        super().__init__(file=file, count=len({each.line for each in problems}))
        self.problems = problems


class RowState(StrEnum):
    """How one line of a batch stands."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


_END = b"\r\n"
_BEGUN = "begun"
"""Stands in the result file in front of how a card ended: with the cards that its
holder had before."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One person of the batch."""

    number: int
    """Line of the file."""
    account: str
    template: str
    name: str = ""
    state: RowState = RowState.WAITING
    problem: Message | None = None
    """Why it failed, or what is to be known of a card that is done."""


@dataclass(slots=True)
class Batch:
    """All rows, and which is next. Authority worker's thread."""

    rows: list[Row]
    files: StationFiles
    results: str
    """Where each outcome is written as it happens: a file of the station."""
    is_cut: bool = False
    """The last line there has no end."""
    not_written: Message | None = None
    """Why what has happened does not all stand there yet."""
    _late: list[bytes] = field(default_factory=list)
    """What is still to be written there, before anything else is."""
    _issued: set[int] = field(default_factory=set)

    @property
    def current(self) -> Row | None:
        """Whose card is next: the first that waits, or failed and was not skipped."""
        open_states = (RowState.WAITING, RowState.FAILED)
        return next((row for row in self.rows if row.state in open_states), None)

    def count(self, state: RowState) -> int:
        """Return how many rows stand so."""
        return sum(row.state is state for row in self.rows)

    def was_issued(self, insertion: int) -> bool:
        """Say whether the card of that insertion has been issued in this batch."""
        return insertion in self._issued

    @contextmanager
    def attempt(self, row: Row) -> Iterator[None]:
        """Note what goes wrong with a row; it stays the current one."""
        try:
            yield
        except OFFICE_ERRORS as error:
            self.failed(row, error)
            raise

    def failed(self, row: Row, error: Exception) -> None:
        """The row's card was not issued; it stays the current one."""
        row.state, row.problem = RowState.FAILED, said_of(error)
        if not isinstance(error, CardRemoved):
            self.happened(row, "")

    def begins(self, row: Row, office: Office) -> None:
        """Note that the row's card is begun, before anything happens to it.

        FileRefused: nothing is begun that could not be told of.
        """
        before = " ".join(sorted(_cards_of(office, row)))
        self._write((row.number, row.account, row.template, _BEGUN, before, ""))

    def issued(self, row: Row, credential: Credential, insertion: int) -> None:
        """The row's card is issued."""
        self._issued.add(insertion)
        row.state, row.problem = RowState.DONE, None
        self.happened(row, credential.card)

    def skip(self) -> None:
        """Leave the current row out."""
        row = self.current
        if row is not None:
            row.state = RowState.SKIPPED
            self.happened(row, "")

    def happened(self, row: Row, card: str) -> None:
        """Write how a row stands, or remember to, where that is refused now."""
        why = "" if row.problem is None else row.problem.key
        fields = (row.number, row.account, row.template, row.state, card, why)
        try:
            self._write(fields)
        except FileRefused as error:
            self._late.append(sheet.line(fields))
            self.not_written = error.message

    def _write(self, fields: tuple[object, ...]) -> None:
        """Add a line, never to one that a full disk has cut. FileRefused."""
        begin, self.is_cut = (_END if self.is_cut else b""), True
        line = sheet.line(fields)
        self.files.append(self.results, b"".join((begin, *self._late, line)))
        self.is_cut, self.not_written = False, None
        self._late.clear()


def read_batch(
    office: Office,
    site: Site,
    name: str,
    told: Told = lambda _done, _accounts: None,
) -> Batch:
    """Read and check a file; every wrong line is named. BatchUnreadable, BatchWrong.

    Each account must be in the directory once, and each template must be one that
    cards can be issued with at this desk. Where there is a result file already, the
    batch goes on from there. NotInRole, DirectoryError. What `told` raises ends it, and
    nothing is written.
    """
    require(office.operator, Action.ISSUE)
    files = site.files
    rows = _rows(files, name)
    problems = tuple(_problems(office, site, rows, told))
    if problems:
        raise BatchWrong(name, problems)
    results = results_beside(name)
    begun = sheet.read_added_to(files, results, _RESULTS)
    if begun is not None:
        batch = Batch(rows, files, results, begun.is_cut)
        for row, before in _go_on(rows, results, begun.lines):
            _look_up(office, batch, row, before)
        return batch
    try:
        files.create(results, sheet.line(_RESULTS))
    except FileRefused as error:
        reason = f"{results}: {error.data['reason']}"
        raise BatchUnreadable(file=name, reason=reason) from error
    return Batch(rows, files, results)


def _go_on(
    rows: list[Row], results: str, begun: Sequence[SheetLine]
) -> list[tuple[Row, set[str]]]:
    """Take over what the result file says is done. BatchUnreadable: it is of another
    list.

    A line that was cut tells nothing. Returns those whose card was begun and of whom it
    says no more, with the cards that their holders had before.
    """
    open_ones: dict[int, tuple[Row, set[str]]] = {}
    known = {(str(row.number), row.account, row.template): row for row in rows}
    for told in (it.cells for it in begun if it.is_whole):
        row = known.get((told["line"], told["account"], told["template"]))
        if row is None or told["result"] not in {_BEGUN, *RowState}:
            reason = f"{PurePath(results).name} is of another list"
            raise BatchUnreadable(file=results, reason=reason)
        is_over = told["result"] in (RowState.DONE, RowState.SKIPPED)
        row.state = RowState(told["result"]) if is_over else RowState.WAITING
        open_ones.pop(row.number, None)
        if told["result"] == _BEGUN:
            open_ones[row.number] = row, set(told["card"].split())
    return list(open_ones.values())


def _look_up(office: Office, batch: Batch, row: Row, before: set[str]) -> None:
    """Write the line of a card that was issued when the line to here was cut."""
    for card, credential in _cards_of(office, row).items():
        is_whole = office.credential(credential).authentication_key is not None
        if card not in before and is_whole:
            row.state, row.problem = RowState.DONE, Message("relay.line_cut_issuing")
            batch.happened(row, card)
            return


def _cards_of(office: Office, row: Row) -> dict[str, str]:
    """Return the cards of that template that the person has, with their ids."""
    found = office.look(Wanted(term=row.account, most=_MOST_OF_ONE)).rows
    return {
        each.card: each.id
        for each in found
        if each.account.casefold() == row.account.casefold()
        and each.template == row.template
        and each.state is not State.RETIRED
    }


def _rows(files: StationFiles, name: str) -> list[Row]:
    found = sheet.read(files, name, _COLUMNS)
    if found is None:
        raise BatchUnreadable(file=name, reason="No such file or directory")
    if not found.lines or len(found.lines) > MOST:
        raise BatchUnreadable(file=name, reason=f"it has {len(found.lines)} lines")
    return [
        Row(
            number=line.number,
            account=line.cells["account"].strip(),
            template=line.cells["template"].strip(),
        )
        for line in found.lines
    ]


def _problems(
    office: Office, site: Site, rows: list[Row], told: Told
) -> Iterator[BatchProblem]:
    found = office.resolve([row.account for row in rows], told)
    templates = {row.template for row in rows}
    refusals = {name: _refusal(office, site, name) for name in templates}
    seen: dict[str, int] = {}
    for row, holder in zip(rows, found, strict=True):
        # Whoever has two names there is one person all the same.
        person = row.account.casefold() if holder is None else holder.guid
        first = seen.setdefault(person, row.number)
        if first != row.number:
            yield _problem(row, _said("twice", line=first))
        if holder is None:
            yield _problem(row, _said("no_account", account=row.account))
        refusal = refusals[row.template]
        if refusal is not None:
            yield _problem(row, refusal)
        if holder is not None:
            row.name = holder.name
            row.account = holder.account or row.account


def _problem(row: Row, said: Message) -> BatchProblem:
    return BatchProblem(row.number, row.account, row.template, said)


def _said(what: str, **data: str | int) -> Message:
    return Message(f"desk.batch_problem.{what}", data)


def _refusal(office: Office, site: Site, name: str) -> Message | None:
    """Say why no card is issued with that template at this desk; None: some are."""
    try:
        refusal = refusal_here(site, office.template(name))
    except RecordMissing:
        return _said("no_template", template=name)
    if isinstance(refusal, MiddlewareElsewhere):
        return refusal.message
    return None if refusal is None else _said("no_template", template=name)
