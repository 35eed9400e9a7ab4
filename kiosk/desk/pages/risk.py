"""The risk report as a table: findings by kind, each opened at its card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import (
    THE_DOMAINS,
    Report,
    Risk,
    RiskFinding,
)
from kiosk.core.errors import Message
from kiosk.desk import export
from kiosk.desk.context import Context, Move, Plain, done, go, stay
from kiosk.desk.how_far import HowFar
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.searched import SearchedPage
from kiosk.desk.tables import Column, Look, PageLine, Style, Table, TableRow
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField
from storage.records import Keyless

_COLUMNS = (
    Column("finding", Message("desk.column.finding"), 25, 2),
    Column("name", Message("desk.column.name"), 18, 2),
    Column("account", Message("desk.column.account"), 17, 1),
    Column("template", Message("desk.column.template"), 10),
)
_ORDER = {
    "finding": lambda it: it.finding,
    "name": lambda it: it.holder,
    "account": lambda it: it.account,
    "template": lambda it: it.template,
}


_IN_WORDS = {
    (RiskFinding.NO_LOCKOUT, THE_DOMAINS): "no_lockout_domain",
    (RiskFinding.KEYLESS, Keyless.WITHOUT): "keyless_without",
    (RiskFinding.KEYLESS, Keyless.WITH_RELEASE): "keyless_with_helpdesk_release",
}
"""Where what was found is one of the program's own words."""
_UNNAMED = frozenset(
    {RiskFinding.PUK_DUE, RiskFinding.UNKNOWN, RiskFinding.UNSATISFIABLE}
)
"""What is said without what was found: it is always a word of the program's."""


def meaning(risk: Risk) -> Message:
    """Say what a risk means, with no word in it that only the program uses."""
    named = _IN_WORDS.get((risk.finding, risk.detail))
    if risk.finding in _UNNAMED:
        named = str(risk.finding)
    if named is not None:
        return Message(f"risk.in_words.{named}")
    return Message(f"risk.{risk.finding}", {"detail": risk.detail})


class RiskPage(SearchedPage):
    """Looks at every account once, when it is opened; again when it is asked to."""

    def __init__(self) -> None:
        self._report: Report | None = None
        super().__init__(Look(sorted_by="finding"))

    def survey(self, context: Context, emit: Emit) -> None:
        """Look at every account, and tell how far that is. NotInRole, RegistryError."""
        self._report = context.office.risks(HowFar(emit, context.site))

    def show(self, context: Context) -> Page:
        context.require(Action.EXPORT)
        if self._report is None:
            self._report = context.office.risks()
        report, look = self._report, self._look
        kinds = sorted({each.finding for each in report.risks})
        words = look.term.casefold().split()
        found = [
            each
            for each in report.risks
            if look.filter in ("", each.finding)
            and all(word in _names(each) for word in words)
        ]
        found.sort(
            key=_ORDER.get(look.sorted_by, _ORDER["finding"]),
            reverse=look.is_descending,
        )
        return self._searched(
            "risk",
            Message("desk.menu.risk"),
            Message("desk.risk.term"),
            Table(
                columns=_COLUMNS,
                rows=tuple(_rows(found[: look.rows + 1])),
                sorted_by=look.sorted_by,
                is_descending=look.is_descending,
                filters=(
                    ("", Message("desk.filter_all")),
                    *((each, Message(f"desk.finding.{each}")) for each in kinds),
                ),
                filter=look.filter,
            ),
            _sums(report),
            (
                Choice("export", Message("desk.evidence.export"), letter="f4"),
                Choice("again", Message("desk.risk.anew"), letter="ctrl+r"),
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:
        if key == "again":
            self.survey(context, emit)
            return stay()
        if key == "export" and self._report is not None:
            return go(RiskFilePage(self._report))
        self._look = replace(self._look, at=key)
        return go(CredentialPage(key.partition(" ")[2]))


class RiskFilePage(Plain):
    """Asks for the name of a new file."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def show(self, context: Context) -> Page:  # noqa: ARG002 - the same for all
        return Page(
            name="risk_file",
            title=Message("desk.menu.risk"),
            fields=(
                PageField(name="file", label=Message("desk.risk.file"), is_needed=True),
            ),
            action=Message("desk.risk.export"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        name, files = filled.texts["file"].strip(), context.site.files
        count = export.risks_to_file(context.office, self._report, files, name)
        told: dict[str, str | int] = {"count": count, "file": name}
        return done(Message("desk.risk.exported", told), back=1)


def _names(risk: Risk) -> str:
    return f"{risk.holder} {risk.account} {risk.template} {risk.detail}".casefold()


def _sums(report: Report) -> Iterator[PageLine]:
    if not report.risks:
        yield PageLine(Message("risk.none"), Style.DONE)
    sums: dict[str, str | int] = {"accounts": report.accounts, "unseen": report.unseen}
    if report.unseen:
        yield PageLine(Message("risk.unseen", sums), Style.WARNING)
    else:
        yield PageLine(Message("risk.all_seen", sums), Style.MUTED)


def _rows(risks: Iterable[Risk]) -> Iterator[TableRow]:
    for each in risks:
        yield TableRow(
            key=f"{each.finding} {each.credential}",
            cells=(
                Message(f"desk.finding.{each.finding}"),
                each.holder,
                each.account,
                each.template,
            ),
            about=(PageLine(each.holder, Style.STRONG), PageLine(meaning(each))),
        )
