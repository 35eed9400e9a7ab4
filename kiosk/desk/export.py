"""What an auditor takes away, as files of this station."""

from __future__ import annotations

import csv
import io
from pathlib import PurePath

from kiosk.authority.office.ports import Office
from kiosk.authority.office.values import (
    Report,
    Risk,
)
from kiosk.core.errors import KioskError
from kiosk.core.untrusted_text import visible
from kiosk.desk.files import FileRefused, StationFiles

COLUMNS = ("finding", "detail", "holder", "account", "template", "credential")
_FORMULA = "=+-@\t"
"""A cell that begins so is a formula, to a spreadsheet."""


class NotExported(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "desk.not_exported"


def to_file(
    office: Office, files: StationFiles, name: str, *, station: str | None
) -> int:
    """Write a new file, readable by its owner only; return how many events it has.

    `station`: only that station's chain. NotInRole, NoSuchStation, NotExported.
    """
    write = office.export(PurePath(name).name, station)
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


def cells(risk: Risk) -> list[str]:
    """Return a finding as the cells of a sheet, none of which is a formula."""
    texts = (visible(str(getattr(risk, name)), 256) for name in COLUMNS)
    return [f"'{text}" if text[:1] in _FORMULA and text else text for text in texts]
