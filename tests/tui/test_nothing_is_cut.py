"""Nothing that the desk says itself is cut at 80×24, on any page, in any language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab.desk.every_page import pages
from lab.terminal.cutting import cut
from rich.cells import cell_len
from textual.screen import Screen

from kiosk.core.errors import Message
from kiosk.faces import wording
from kiosk.texts import LANGUAGES
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.widgets.grouped_form import GroupedForm
from kiosk.tui.widgets.row_table import RowTable
from kiosk.tui.widgets.table_columns import heading

_FRAME = 6
"""Cells of a field's upper edge that its label does not have."""


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


def cut_in_table(shown: RowTable) -> Iterator[str]:
    """Yield what a table says itself and does not draw whole: headings and words of the
    catalogue. What comes from elsewhere may be as long as it likes.
    """
    fits: Any = shown._fitted
    assert shown.table.columns == () or fits
    for each in fits:
        whole = wording.said(each.column.label)
        if whole not in heading(each, shown.table).plain:
            yield whole
        for row in shown.table.rows:
            words = row.cells[each.at]
            if isinstance(words, Message):
                told = wording.said(words)
                if cell_len(told) > each.width - 1:
                    yield told


def has_its_places(screen: Screen[Any]) -> bool:
    """Say whether every field has its room already: a card's news draws a page anew."""
    if not isinstance(screen, PageScreen) or screen.query(GroupedForm):
        return isinstance(screen, PageScreen)
    return all(widget.outer_size.width for widget in screen._fields)


def cut_labels(screen: PageScreen) -> Iterator[str]:
    """Yield what fields are called where there is no room for it."""
    for form in screen.query(GroupedForm):
        for widget in form._widgets:
            if cell_len(widget._label) >= widget._room:
                yield widget._label
        return
    for widget in screen._fields:
        if cell_len(widget._label) > widget.outer_size.width - _FRAME:
            yield widget._label


def cut_choices(screen: PageScreen) -> Iterator[str]:
    """Yield options of a field that are wider than it."""
    for field, widget in zip(screen.page.fields, screen._fields, strict=True):
        for _, words in field.options:
            if isinstance(words, Message):
                told = wording.said(words)
                if cell_len(told) + len("<  >") > widget.content_size.width > 0:
                    yield told


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_that_a_page_says_is_drawn(language: str) -> None:
    missing: list[str] = []
    async for name, shown in pages(language):
        await shown.until(lambda it=shown: has_its_places(it.app.screen), name)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        screen = shown.app.screen
        assert isinstance(screen, PageScreen)
        found = [*cut(shown.app), *cut_labels(screen), *cut_choices(screen)]
        if screen.page.table is not None:
            found += cut_in_table(screen._table)
        missing += [f"{name}: {each}" for each in found]
    assert not missing, "\n".join(missing)
