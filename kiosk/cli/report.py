"""`kiosk report`: what an administrator should know, for people and programs."""

from __future__ import annotations

import csv
import itertools
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from kiosk.cli.frame import ConfigOption, new_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosk.authority.office.values import (
        Report,
        Risk,
    )

app = new_app("What an administrator should know.")


class ReportFormat(StrEnum):
    """How it is written."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


@app.callback()
def _report() -> None:
    """What an administrator should know."""


@app.command()
def risk(
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="For people, a sheet or a program.")
    ] = ReportFormat.TEXT,
    config: ConfigOption = None,
) -> None:
    """Whose password is a short secret, which templates cannot work, and why."""
    from kiosk.bootstrap import open_office, operators_config
    from kiosk.cli.progress import ProgressLine

    with (
        open_office(operators_config(config)) as office,
        ProgressLine(0, "accounts") as shown,
    ):
        found = office.risks(shown.reach)
    match format_:
        case ReportFormat.JSON:
            print(msgspec.json.encode(found).decode())
        case ReportFormat.CSV:
            _sheet(found.risks)
        case ReportFormat.TEXT:
            _text(found)


def _sheet(found: Sequence[Risk]) -> None:
    from kiosk.desk.export import COLUMNS, cells

    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    writer.writerows(map(cells, found))


def _text(report: Report) -> None:
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message
    from kiosk.core.untrusted_text import visible

    sums: dict[str, str | int] = {
        "accounts": report.accounts,
        "unseen": report.unseen,
    }
    if not report.risks:
        print(words(Message("risk.none")))
    for finding, group in itertools.groupby(
        report.risks, key=lambda risk: risk.finding
    ):
        risks = list(group)
        told: dict[str, str | int] = {"count": len(risks), "finding": finding}
        print(words(Message("risk.heading", told)))
        details = ", ".join(sorted({each.detail for each in risks if each.detail}))
        print(f"  {words(Message(f'risk.{finding}', {'detail': details}))}")
        for each in risks:
            print(f"    {visible(each.holder)}  {visible(each.account)}")
        print()
    print(words(Message("risk.unseen" if report.unseen else "risk.all_seen", sums)))
