"""A page's table: rows that are moved through, sorted, filtered and opened. Values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.core.errors import Message

Words = Message | str | tuple[Message | str, ...]
"""A sentence of the catalogue, outside text, or a row of them on one line."""
ROWS = 60
"""Rows that a table has at first; as many more come when its end is near."""


class Style(StrEnum):
    """How a line stands out; never by colour alone."""

    NORMAL = "normal"
    MUTED = "muted"
    STRONG = "strong"
    HEADING = "heading"
    CODE = "code"
    """To be read out: large, in groups."""
    WARNING = "warning"
    DONE = "done"
    RUNNING = "running"
    """What is being done now."""
    OPEN = "open"
    """What is to be done then."""


@dataclass(frozen=True, slots=True)
class PageLine:
    """One thing to read."""

    text: Words
    style: Style = Style.NORMAL
    label: Words | None = None
    """What it is, in front of it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; it can be sorted by."""

    key: str
    label: Message
    width: int
    """Cells that it needs."""
    share: int = 0
    """What it gets of the room that is left, as a weight; 0: none."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One thing that can be opened."""

    key: str
    """What `choose` is told."""
    cells: tuple[Words, ...]
    needs_somebody: bool = False
    """It is marked."""
    about: tuple[PageLine, ...] = ()
    """What is shown beside the table while the cursor is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows in their order."""

    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    sorted_by: str = ""
    """A column's key; empty: the order is not to be changed."""
    is_descending: bool = False
    opens: bool = True
    """Enter does something with a row."""
    filters: tuple[tuple[str, Words], ...] = ()
    """What can be left out: key and words of each."""
    filter: str = ""
    """Which of them is chosen."""
    has_more: bool = False
    """Behind the last row there are others."""
    at: str = ""
    """The row where the cursor was when this page was left; empty: the first."""
    nothing: Message | None = None
    """What is said where there are no rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How somebody wants to see a table now. Changes nothing but what is shown."""

    term: str = ""
    """What is in the page's first field."""
    sorted_by: str = ""
    is_descending: bool = False
    filter: str = ""
    rows: int = ROWS
    """At most so many."""
    at: str = ""
    """Where the cursor is."""
    typed: tuple[tuple[str, str], ...] = ()
    """What is in the fields of a page that weighs it, by their names."""
    beside: str = ""
    """What it is compared with there."""


def nothing_for(term: str) -> Message | None:
    """Return what is said where a term finds no row; None: nothing is looked for."""
    return Message("desk.nothing_found", {"term": term}) if term.strip() else None
