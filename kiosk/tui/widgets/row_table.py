"""A page's table: the cursor and what is seen never part.

Textual's own `DataTable` draws and scrolls it. Keys do not come by its bindings; cells
are never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from kiosk.desk.tables import ROWS, Look, Table
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import said, say
from kiosk.tui.widgets.bars import folded
from kiosk.tui.widgets.page_lines import in_words, page_line
from kiosk.tui.widgets.table_columns import Fitted, cell, fitted, heading

_NEAR = 10
"""Rows before the end at which more are asked for."""
_MARK = "mark"
"""The first column: where the cursor is, and what needs somebody."""


class RowTable(Container):
    """Rows, what can be left out above them, and beside them more of the one chosen.

    Beside where there is room, else below.
    """

    DEFAULT_CSS = """
    RowTable { height: 1fr; layout: vertical; }
    RowTable #rows { height: 1fr; width: 1fr; }
    RowTable DataTable {
        height: 1fr; background: $background; scrollbar-size-vertical: 1;
        scrollbar-background: $background; scrollbar-color: $secondary;
    }
    RowTable DataTable > .datatable--header {
        background: $panel; color: $text-muted; text-style: bold;
    }
    RowTable DataTable > .datatable--cursor {
        background: $panel; color: $foreground; text-style: bold;
    }
    RowTable DataTable > .datatable--even-row,
    RowTable DataTable > .datatable--odd-row { background: $background; }
    RowTable #about {
        height: auto; max-height: 5; border-top: $edge $secondary; padding: 0 1;
    }
    RowTable #filters, RowTable #place { height: 1; color: $text-muted; }
    RowTable #filters { height: auto; }
    RowTable #place { text-align: right; }
    """

    def __init__(
        self, table: Table, changed: Callable[[], None], *, id: str | None = None
    ) -> None:
        """`changed` is told when other rows are wanted (`look`)."""
        super().__init__(id=id)
        self._table = table
        self._changed = changed
        self._rows: DataTable[Text] = DataTable(
            cursor_type="row", cell_padding=0, zebra_stripes=False
        )
        self._rows.can_focus = False
        self._fitted: tuple[Fitted, ...] = ()
        self._wanted = Look(
            sorted_by=table.sorted_by,
            is_descending=table.is_descending,
            filter=table.filter,
        )
        """What was asked for last; what is shown may be older."""
        self._marked = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="rows"):
            yield Static("", id="filters", markup=False)
            yield self._rows
            yield Static("", id="place", markup=False)
        yield Vertical(id="about")

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        """Other columns may fit now. Textual calls it before the first rows, too."""
        if fitted(self._table.columns, self._room()) != self._fitted:
            self._draw()
        else:
            self._say_where()

    # --- what is shown ------------------------------------------------------------

    @property
    def table(self) -> Table:
        """What is shown."""
        return self._table

    @property
    def chosen(self) -> str:
        """The key of the row where the cursor is; empty: there are no rows."""
        rows = self._table.rows
        return rows[self._rows.cursor_row].key if rows else ""

    def begin_anew(self) -> None:
        """Something else is looked for: the first rows are wanted."""
        self._wanted = replace(self._wanted, rows=ROWS)

    def show(self, table: Table, *, from_the_top: bool = False) -> None:
        """Show other rows; the cursor stays on its row where that is still there."""
        at = "" if from_the_top else self.chosen or table.at
        before, self._table = self._table, table
        if before.rows == table.rows and before.columns == table.columns:
            self._say_where()
            return
        self._draw(at)

    def _draw(self, at: str | None = None) -> None:
        at = self._table.at if at is None else at
        self._fitted = fitted(self._table.columns, self._room())
        rows = self._rows
        rows.clear(columns=True)
        rows.add_column("", width=3, key=_MARK)
        for each in self._fitted:
            rows.add_column(heading(each, self._table), width=each.width)
        for row in self._table.rows:
            sign = marks().attention if row.needs_somebody else ""
            rows.add_row(
                Text(f" {sign}"), *(cell(row.cells[it.at], it) for it in self._fitted)
            )
        keys = [row.key for row in self._table.rows]
        self._marked = 0
        self._move(keys.index(at) if at in keys else 0)

    def _room(self) -> int:
        return max(self._rows.size.width or self.size.width, 40) - 4

    def _move(self, to: int) -> None:
        """Put the cursor there, in sight, with what is known of that row."""
        last = len(self._table.rows) - 1
        if last >= 0:
            to = max(0, min(to, last))
            self._point(self._marked, is_here=False)
            self._point(to, is_here=True)
            self._marked = to
            self._rows.move_cursor(row=to, column=0, animate=False, scroll=True)
        self._say_where()
        self._say_about()
        if self._table.has_more and to > last - _NEAR and self._wanted.rows <= last + 1:
            self._look(replace(self._wanted, rows=self._wanted.rows + ROWS))

    def _point(self, at: int, *, is_here: bool) -> None:
        row = self._table.rows[min(at, len(self._table.rows) - 1)]
        sign = marks().attention if row.needs_somebody else " "
        pointer = marks().pointer if is_here else " "
        where = Coordinate(min(at, len(self._table.rows) - 1), 0)
        self._rows.update_cell_at(where, Text(f"{pointer}{sign}"))

    def _say_where(self) -> None:
        rows, table = len(self._table.rows), self._table
        key = "tui.table.place_of_more" if table.has_more else "tui.table.place"
        place = say(key, at=self._rows.cursor_row + 1, count=rows) if rows else ""
        if not rows and self._table.nothing is not None:
            place = said(self._table.nothing)
        self.query_one("#place", Static).update(Content(place))
        pieces = [
            Content.styled(f" {in_words(words)} ", "reverse")
            if key == table.filter
            else Content(f" {in_words(words)} ")
            for key, words in table.filters
        ]
        filters = self.query_one("#filters", Static)
        filters.display = bool(pieces)
        filters.update(folded(pieces, self._room() + 2, " "))

    def _say_about(self) -> None:
        about = self.query_one("#about", Vertical)
        rows = self._table.rows
        lines = rows[self._rows.cursor_row].about if rows else ()
        about.display = bool(lines)
        about.remove_children()
        about.mount(*(page_line(each) for each in lines))

    # --- keys -----------------------------------------------------------------------

    def press(self, key: events.Key) -> bool:
        """Take a key that moves, sorts or filters; False: it does none of it."""
        at, page = self._rows.cursor_row, max(1, self._rows.size.height - 2)
        steps = {
            "down": at + 1,
            "up": at - 1,
            "pagedown": at + page,
            "pageup": at - page,
            "home": 0,
            "end": len(self._table.rows) - 1,
        }
        if key.key in steps:
            self._move(steps[key.key])
        elif key.key in ("left", "right") and self._table.filters:
            self._filter(1 if key.key == "right" else -1)
        elif key.key == "ctrl+s" and self._table.sorted_by:
            self._sort()
        else:
            return False
        return True

    def look(self, term: str) -> Look:
        """Return how the table is wanted now."""
        return replace(self._wanted, term=term, at=self.chosen)

    def _look(self, wanted: Look) -> None:
        self._wanted = wanted
        self._changed()

    def _sort(self) -> None:
        """The other way round, then by the next column."""
        if not self._wanted.is_descending:
            self._look(replace(self._wanted, is_descending=True))
            return
        keys = [each.key for each in self._table.columns]
        by = self._wanted.sorted_by
        at = keys.index(by) if by in keys else -1
        next_ = keys[(at + 1) % len(keys)]
        self._look(replace(self._wanted, sorted_by=next_, is_descending=False))

    def _filter(self, step: int) -> None:
        keys = [key for key, _ in self._table.filters]
        by = self._wanted.filter
        at = keys.index(by) if by in keys else 0
        self._look(replace(self._wanted, filter=keys[(at + step) % len(keys)]))
