"""A sheet that a person or a desk has written: CSV with a header, read line by line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from kiosk.core.errors import KioskError
from kiosk.desk.files import FileRefused, StationFiles

LARGEST = 512 * 1024
"""Bytes: what one message between station and authority may carry."""
_DELIMITERS = ",;\t"
"""Spreadsheets write the second one where a comma is in numbers."""


class BatchUnreadable(KioskError):
    """The file cannot be used: `file`, `reason`."""

    code = "desk.batch_unreadable"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line, with its number as an editor counts."""

    number: int
    cells: dict[str, str]
    """By column; empty where the line has none."""
    is_whole: bool
    """It has a cell for each column: one that a full disk has cut has not."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All lines but blank ones."""

    lines: tuple[SheetLine, ...]
    is_cut: bool
    """The last line has no end: what is written next would be a part of it."""


def read(files: StationFiles, name: str, columns: tuple[str, ...]) -> Sheet | None:
    """Return what stands in a file; None: it is not there. BatchUnreadable."""
    text = _text(files, name)
    if text is None:
        return None
    reader = csv.DictReader(
        io.StringIO(text, newline=None),
        delimiter=_delimiter(text, columns),
        strict=True,
    )
    lines = []
    try:
        for row in reader:
            cells = {it: row.get(it) for it in columns}
            lines.append(
                SheetLine(
                    number=reader.line_num,
                    cells={it: cell or "" for it, cell in cells.items()},
                    is_whole=None not in cells.values(),
                )
            )
    except csv.Error as error:
        raise BatchUnreadable(file=name, reason=str(error)) from error
    missing = [it for it in columns if it not in (reader.fieldnames or ())]
    if missing:
        told = ", ".join(missing)
        raise BatchUnreadable(file=name, reason=f"no column {told}")
    return Sheet(tuple(lines), is_cut=not text.endswith("\n"))


def line(fields: tuple[object, ...]) -> bytes:
    """Return one line, as it is written."""
    text = io.StringIO()
    csv.writer(text).writerow([str(each) for each in fields])
    return text.getvalue().encode()


def _text(files: StationFiles, name: str) -> str | None:
    try:
        raw = files.read(name, most=LARGEST)
        if raw is None:
            return None
        if len(raw) > LARGEST:
            raise BatchUnreadable(file=name, reason="it is too large")
        return raw.decode("utf-8-sig")
    except FileRefused as error:
        raise BatchUnreadable(file=name, reason=str(error.data["reason"])) from error
    except UnicodeDecodeError as error:
        raise BatchUnreadable(file=name, reason="it is not UTF-8 text") from error


def _delimiter(text: str, columns: tuple[str, ...]) -> str:
    """Return what stands between the columns of the header."""
    header = text.partition("\n")[0].rstrip("\r")
    for each in _DELIMITERS:
        if {*columns} <= {cell.strip('"') for cell in header.split(each)}:
            return each
    return _DELIMITERS[0]
