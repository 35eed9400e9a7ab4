"""The risk report leaves the station: a sheet of its own, by who may export."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.evidence_export import NotExported
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.risk import Report, Risk
from kiosk.core import private_files
from kiosk.core.errors import reason_of
from kiosk.core.untrusted_text import visible

COLUMNS = ("finding", "detail", "holder", "account", "template", "credential")
_FORMULA = "=+-@\t"
"""A cell that begins so is a formula, to a spreadsheet."""


def to_file(desk: Desk, report: Report, path: Path) -> int:
    """Write a new file, readable by its owner only; return how many findings.

    NotInRole, NotExported.
    """
    require(desk.operator, Action.EXPORT)
    note(desk, "audit.exported", data={"file": path.name})
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
