"""Which columns of a table fit, how wide, and what stands in them."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import set_cell_size
from rich.text import Text

from kiosk.desk.tables import Column, Table, Words
from kiosk.faces.glyphs import marks
from kiosk.tui.widgets.page_lines import in_words

_GAP = 1
_CUT = "…"


class Fitted(NamedTuple):
    """A column that is shown."""

    column: Column
    at: int
    """Its place in a row's cells."""
    width: int
    """Cells, the gap behind it included."""


def fitted(columns: tuple[Column, ...], room: int) -> tuple[Fitted, ...]:
    """Return the columns for which there is room: the first ones, made as wide as
    their shares of what is left allow.
    """
    shown: list[Column] = []
    for each in columns:
        if sum(it.width + _GAP for it in (*shown, each)) <= room or not shown:
            shown.append(each)
    left = max(0, room - sum(each.width + _GAP for each in shown))
    shares = sum(each.share for each in shown) or 1
    return tuple(
        Fitted(
            each, columns.index(each), each.width + _GAP + left * each.share // shares
        )
        for each in shown
    )


def heading(each: Fitted, table: Table) -> Text:
    """Return a column's name; by which the rows are in order is marked."""
    name = in_words(each.column.label)
    if each.column.key != table.sorted_by:
        return Text(_cut(name, each.width - _GAP))
    arrow = marks().falling if table.is_descending else marks().rising
    return Text(f"{_cut(name, each.width - _GAP - 2)} {arrow}")


def cell(words: Words, each: Fitted) -> Text:
    """Return what stands in a column, cut where it does not fit."""
    return Text(_cut(in_words(words), each.width - _GAP))


def _cut(text: str, width: int) -> str:
    if Text(text).cell_len <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + _CUT
