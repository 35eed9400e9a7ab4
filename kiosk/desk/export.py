"""What an auditor takes away, as files of this station."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Callable
from pathlib import PurePath

from kiosk.authority.office.list_values import EvidenceRow
from kiosk.authority.office.ports import Office
from kiosk.authority.office.values import (
    Report,
    Risk,
)
from kiosk.core.errors import KioskError
from kiosk.core.untrusted_text import visible
from kiosk.desk.files import FileRefused, StationFiles

MOST = 10_000
"""Events that a sheet has at most, the newest; the whole of it is `to_file`'s."""
EVENT_COLUMNS = (
    *("at", "event", "holder", "who", "station", "result"),
    *("credential", "operation", "data"),
)
COLUMNS = ("finding", "detail", "holder", "account", "template", "credential")
_FORMULA = "=+-@\t"
"""A cell that begins so is a formula, to a spreadsheet."""


class NotExported(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "desk.not_exported"


def to_file(
    office: Office,
    files: StationFiles,
    name: str,
    *,
    station: str | None,
    told: Callable[[int, int], None] = lambda _done, _events: None,
) -> int:
    """Write a new file, readable by its owner only; return how many events it has.

    `station`: only that station's chain. `told` hears how many are written, and of how
    many. NotInRole, NoSuchStation, NotExported.
    """
    write = office.export(PurePath(name).name, station, told)
    try:
        with files.written(name) as stream:
            count = write(stream)
    except FileRefused as error:
        raise NotExported(file=name, reason=str(error.data["reason"])) from error
    return count


def risks_to_file(
    office: Office, report: Report, files: StationFiles, name: str
) -> int:
    """Write a new sheet, readable by its owner only; return how many findings.

    NotInRole, NotExported.
    """
    office.note_export(PurePath(name).name)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    writer.writerows(map(cells, report.risks))
    try:
        files.create(name, sheet.getvalue().encode())
    except FileRefused as error:
        raise NotExported(file=name, reason=str(error.data["reason"])) from error
    return len(report.risks)


def events_to_file(office: Office, files: StationFiles, name: str, term: str) -> int:
    """Write the events that are looked for as a new sheet, readable by its owner only;
    return how many, at most `MOST`.

    NotInRole, NotExported.
    """
    office.note_export(PurePath(name).name)
    found = office.evidence(term, most=MOST)
    try:
        with files.written(name) as stream:
            for cells_ in (EVENT_COLUMNS, *map(_cells_of, found.rows)):
                line = io.StringIO()
                csv.writer(line).writerow(cells_)
                stream.write(line.getvalue().encode())
    except FileRefused as error:
        raise NotExported(file=name, reason=str(error.data["reason"])) from error
    return len(found.rows)


def _cells_of(row: EvidenceRow) -> list[str]:
    event = row.event
    at = datetime.datetime.fromtimestamp(event.at, datetime.UTC)
    data = "; ".join(f"{name}={value}" for name, value in sorted(event.data.items()))
    texts = (
        *(at.isoformat(timespec="seconds"), event.kind, row.holder, event.actor),
        *(event.station, event.result, event.credential, event.operation, data),
    )
    return [_cell(text, 4096) for text in texts]


def cells(risk: Risk) -> list[str]:
    """Return a finding as the cells of a sheet, none of which is a formula."""
    return [_cell(str(getattr(risk, name)), 256) for name in COLUMNS]


def _cell(text: str, most: int) -> str:
    shown = visible(text, most)
    return f"'{shown}" if shown[:1] in _FORMULA and shown else shown
