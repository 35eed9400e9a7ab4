"""A page as it is drawn, and drawn anew while somebody works with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from kiosk.core.errors import Message as Sentence
from kiosk.core.untrusted_text import visible
from kiosk.desk.tables import Look, PageLine, Table
from kiosk.desk.views import Choice, Page
from kiosk.faces.glyphs import marks
from kiosk.faces.leaving import Leaving
from kiosk.faces.wording import labelled, said
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.page_frame import (
    fields_of,
    frame_of,
    has_own_key,
    is_function_key,
    is_grouped,
    keys_of,
    term_of,
)
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.choice_list import ChoiceList
from kiosk.tui.widgets.entry_field import OptionField, TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.flow_line import FlowLine
from kiosk.tui.widgets.grouped_form import GroupedForm
from kiosk.tui.widgets.page_fields import widget_of
from kiosk.tui.widgets.page_lines import in_words, page_line
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.tui.widgets.refused_choices import RefusedChoices
from kiosk.tui.widgets.row_table import RowTable
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.station import FaceSettings

ACTION = " action"
_NO_TABLE = Table(columns=(), rows=())
_WIDE = 110
"""Columns from which there is room for two things side by side."""


class PageView(KioskScreen):
    """Draws one `Page`. What keys do is a subclass's."""

    CSS_PATH = "page.tcss"
    has_frame = False
    AUTO_FOCUS = ""  # it would scroll what is to be read first out of sight

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        self.page = page
        self._fields = [
            widget_of(field, self._submitted, self._changed, self._picked)
            for field in page.fields
        ]
        self._form = (
            GroupedForm(page.fields, self._fields) if is_grouped(page) else None
        )
        self._leaving = Leaving()
        self._beside = page.compared
        """What somebody wants to have the fields compared with."""
        self._first = 0
        """The field that has the focus first."""
        self._choices = ChoiceList(
            self._offered(),
            self._choose,
            is_marked=not page.asks_own_key and (page.table is None or page.finds),
        )
        self._table = RowTable(page.table or _NO_TABLE, self._look)
        self._flow = FlowLine(page.flow)
        self._bar = ProgressBar(show_eta=False)
        self._show_progress()
        self.KEYS = self._keys()

    def _show_progress(self) -> None:
        done, of = self.page.progress or (0, 1)
        self._bar.update(total=of, progress=done)
        self._bar.display = self.page.progress is not None

    def compose(self) -> ComposeResult:
        self._place_table()
        return super().compose()

    def _place_table(self) -> None:
        """Show the table or the choices: what is typed decides which."""
        has_table = self.page.table is not None
        self.set_class(has_table or self._form is not None, "tabled")
        self.set_class(self._form is not None, "grouped")
        is_bare = self.page.action is None and not (self._fields or self._offered())
        self.set_class(is_bare, "bare")
        self._table.display = has_table
        self._choices.display = not (has_table and self.page.finds)

    def _offered(self) -> tuple[Choice, ...]:
        """Without fields, an action that anybody may try is a choice, the first."""
        page = self.page
        choices = tuple(each for each in page.choices if not is_function_key(each))
        if page.action is None or has_own_key(self.page) or page.finds:
            return choices
        return (Choice(ACTION, page.action), *choices)

    def _keys(self) -> tuple[KeyHint, ...]:
        return keys_of(self.page, can_choose=self._choices.can_focus)

    # --- what it looks like -----------------------------------------------------

    def corner(self) -> str:
        who = visible(self.page.operator)
        return f"{who}   {self.settings.station}" if who else self.settings.station

    def body(self) -> Iterable[Widget]:
        page = self.page
        yield line(in_words(page.title), classes="headline")
        yield self._flow
        yield Vertical(*self._notice(), id="notice")
        yield Vertical(*map(self._line, page.lines), id="lines")
        yield self._bar
        beside = Vertical(*map(page_line, page.below), id="beside")
        beside.display = bool(page.below)
        yield Container(Vertical(*self._doing(), id="doing"), beside, id="panes")
        yield RefusedChoices(page.choices)
        yield self._table
        yield Static("", id="hint", markup=False)

    def _line(self, each: PageLine) -> Widget:
        return page_line(each, is_big=self.settings.big_digits)

    def _notice(self) -> Iterable[Widget]:
        if self.page.notice is not None:
            told = said(self.page.notice)
            for field in self.page.fields:
                if field.name == self.page.about_field:
                    told = labelled(said(field.label), told)
            mark = marks().done if self.page.is_done else marks().attention
            yield Bullet(mark, told, classes="notice")

    def _doing(self) -> Iterable[Widget]:
        """What is filled in and chosen."""
        page = self.page
        if self._form is not None:
            yield self._form
        else:
            for field, widget in zip(page.fields, self._fields, strict=True):
                if field.heading is not None:
                    yield line(said(field.heading), classes="heading")
                yield widget
                if field.help is not None:
                    yield line(said(field.help), classes="meaning")
        if has_own_key(self.page) and page.action is not None and not page.fields:
            yield line(f"F2  {said(page.action)}", classes="own-key")
        yield self._choices

    def on_mount(self) -> None:
        first = self._fields[self._first] if self._fields else self._choices
        if first.can_focus:
            self.set_focus(first, scroll_visible=False)

    def on_resize(self, event: events.Resize) -> None:
        """Textual calls it besides the base's own."""
        self.set_class(event.size.width >= _WIDE, "wide")

    def unfinished(self) -> int:
        """What is looked for while it is typed lacks nothing when it is left; only what
        follows in the same breath is not for the next page.
        """
        typed = super().unfinished()
        if self.page.finds and typed:
            self.turn.cut()
        return typed if self.is_typed_into and not self.page.finds else 0

    @property
    def is_typed_into(self) -> bool:
        """Somebody has typed something: not all is as the page had it at first."""
        return any(
            bool(len(widget))
            if isinstance(widget, SecretField)
            else widget.value != field.value
            for field, widget in zip(self.page.fields, self._fields, strict=True)
        )

    # --- what changes on it -------------------------------------------------------

    def renew(self, page: Page) -> bool:
        """Show the same page as it is now, with what is being typed; False: it is not
        the same. Its successor may come before it is drawn.
        """
        if frame_of(page) != frame_of(self.page):
            return False
        before = self.page
        notice = before.notice if page.notice is None else page.notice
        is_done = before.is_done if page.notice is None else page.is_done
        self.page = dataclasses.replace(page, notice=notice, is_done=is_done)
        self.once_drawn(lambda: self._redraw(before))
        return True

    def _redraw(self, before: Page) -> None:
        """Draw what is other than it was."""
        page = self.page
        for place, is_new, widgets in (
            ("#notice", page.notice != before.notice, self._notice()),
            ("#lines", page.lines != before.lines, map(self._line, page.lines)),
            ("#beside", page.below != before.below, map(page_line, page.below)),
        ):
            if is_new:
                container = self.query_one(place, Vertical)
                container.remove_children()
                container.mount(*widgets)
        self.query_one("#beside").display = bool(page.below)
        if self._form is not None:
            self._form.renew(page.fields)
        self._flow.show(page.flow)
        self._show_progress()
        self._choices.renew(self._offered())
        if page.table is not None:
            is_other = page.finds and term_of(page) != term_of(before)
            self._table.show(page.table, from_the_top=is_other)
        if (page.table is None) != (before.table is None):
            self._place_table()
        if (keys := self._keys()) != self.KEYS:
            self.KEYS = keys
            self.query_one(KeyBar).show(*keys)

    def wanted(self) -> Look | None:
        """Return which rows are wanted, or what is to be weighed; None: neither."""
        if self.page.weighs:
            return Look(typed=tuple(self._texts()), beside=self._beside)
        if not self.page.finds and self.page.table is None:
            return None
        return self._table.look(self._term)

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each field that is no secret, and what is in it."""
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            if not isinstance(widget, SecretField):
                yield field.name, widget.value

    @property
    def _term(self) -> str:
        field = self._fields[0] if self.page.finds else None
        return field.value if isinstance(field, TextField) else ""

    @property
    def _is_fresh(self) -> bool:
        """The rows are those of what is in the field."""
        return not self.page.finds or self._term == term_of(self.page)

    def follow(self, other: PageView) -> None:
        """Keep the texts of a page that has changed around them, or was refused.

        An operator's alone, and of a refused sign-in none: somebody else may be next.
        """
        if not other.has_answered:
            self._go_on_from(other)
        elif self.page.is_refused and self.page.operator:
            self._go_on_from(other)
            first = self._fields[self._first] if self._fields else None
            if isinstance(first, TextField):
                first.retype()

    def _go_on_from(self, other: PageView) -> None:
        """Keep the texts, where the fields are the same.

        A secret is not kept: it may have been meant for another card.
        """
        if fields_of(self.page) != fields_of(other.page):
            return
        for mine, its in zip(self._fields, other._fields, strict=True):
            if isinstance(mine, TextField) and isinstance(its, TextField):
                mine.typed, its.typed = its.typed, mine.typed
            elif isinstance(mine, OptionField) and isinstance(its, OptionField):
                mine.value = its.value
            if its is other.focused:
                self._first = self._fields.index(mine)

    def say_working(self, what: Sentence) -> None:
        """Say what is being done while nothing can be typed."""
        self._hint(what)

    def stay(self) -> None:
        """Nothing is done any more, and nothing has changed here."""
        self._hint(None)
        if self.has_answered:
            self.open()

    def _hint(self, hint: Sentence | None) -> None:
        told = said(hint) if hint else ""
        self.once_drawn(lambda: self.query_one("#hint", Static).update(told))

    # --- what keys do ---------------------------------------------------------------

    def _look(self) -> None:
        """Other rows are wanted."""
        raise NotImplementedError

    def _changed(self, field: TypedField) -> None:
        """Something was typed."""
        raise NotImplementedError

    def _picked(self) -> None:
        """Another option was chosen."""
        raise NotImplementedError

    def _submitted(self, field: Widget) -> None:
        """Enter was pressed in a field."""
        raise NotImplementedError

    def _choose(self, key: str) -> None:
        """A choice was made."""
        raise NotImplementedError
