"""What an auditor takes away, as files of this station."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from kiosk.authority.office.ports import Office
from kiosk.authority.office.values import (
    Report,
    Risk,
)
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from kiosk.core.untrusted_text import visible

COLUMNS = ("finding", "detail", "holder", "account", "template", "credential")
_FORMULA = "=+-@\t"
"""A cell that begins so is a formula, to a spreadsheet."""


class NotExported(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "desk.not_exported"


def to_file(office: Office, path: Path, *, station: str | None) -> int:
    """Write a new file, readable by its owner only; return how many events it has.

    `station`: only that station's chain. NotInRole, NoSuchStation, NotExported.
    """
    write = office.export(path.name, station)
    try:
        with private_files.created(path) as stream:
            count = write(stream)
    except OSError as error:
        raise NotExported(file=str(path), reason=reason_of(error)) from error
    return count


def risks_to_file(office: Office, report: Report, path: Path) -> int:
    """Write a new sheet, readable by its owner only; return how many findings.

    NotInRole, NotExported.
    """
    office.note_export(path.name)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    writer.writerows(map(cells, report.risks))
    try:
        private_files.create(path, sheet.getvalue().encode())
    except OSError as error:
        raise NotExported(file=str(path), reason=reason_of(error)) from error
    return len(report.risks)


def cells(risk: Risk) -> list[str]:
    """Return a finding as the cells of a sheet, none of which is a formula."""
    texts = (visible(str(getattr(risk, name)), 256) for name in COLUMNS)
    return [f"'{text}" if text[:1] in _FORMULA and text else text for text in texts]
