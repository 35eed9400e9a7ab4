"""A sheet that a person or a desk has written: CSV with a header, read line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
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
    raw = _raw(files, name)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BatchUnreadable(file=name, reason="it is not UTF-8 text") from error
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
    _must_have(columns, reader.fieldnames or (), name)
    return Sheet(tuple(lines), is_cut=not text.endswith("\n"))


def read_added_to(
    files: StationFiles, name: str, columns: tuple[str, ...]
) -> Sheet | None:
    """As `read`, of a file that was written a line at a time. No cell of it has the
    end of a line in it, so one that was cut, in a letter or between quotes too, spoils
    no other.
    """
    raw = _raw(files, name)
    if raw is None:
        return None
    text = raw.decode("utf-8-sig", "replace")
    header, *rest = text.replace("\r\n", "\n").split("\n")
    delimiter = _delimiter(text, columns)
    named = _cells(header, delimiter)
    _must_have(columns, named, name)
    lines = []
    for number, cells in enumerate((_cells(it, delimiter) for it in rest), 2):
        if not cells:
            continue
        found = dict(zip(named, cells, strict=False))
        lines.append(
            SheetLine(
                number=number,
                cells={it: found.get(it, "") for it in columns},
                is_whole=all(it in found for it in columns),
            )
        )
    return Sheet(tuple(lines), is_cut=not text.endswith("\n"))


def line(fields: tuple[object, ...]) -> bytes:
    """Return one line, as it is written."""
    text = io.StringIO()
    csv.writer(text).writerow([str(each) for each in fields])
    return text.getvalue().encode()


def _raw(files: StationFiles, name: str) -> bytes | None:
    try:
        raw = files.read(name, most=LARGEST)
    except FileRefused as error:
        raise BatchUnreadable(file=name, reason=str(error.data["reason"])) from error
    if raw is not None and len(raw) > LARGEST:
        raise BatchUnreadable(file=name, reason="it is too large")
    return raw


def _cells(text: str, delimiter: str) -> list[str]:
    """Return the cells of one line; none: it is blank, or nothing can be read there."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def _must_have(columns: tuple[str, ...], named: Sequence[str], file: str) -> None:
    missing = [it for it in columns if it not in named]
    if missing:
        told = ", ".join(missing)
        raise BatchUnreadable(file=file, reason=f"no column {told}")


def _delimiter(text: str, columns: tuple[str, ...]) -> str:
    """Return what stands between the columns of the header."""
    header = text.partition("\n")[0].rstrip("\r")
    for each in _DELIMITERS:
        if {*columns} <= {cell.strip('"') for cell in header.split(each)}:
            return each
    return _DELIMITERS[0]
