"""Every page of an operator's session: lines, fields, choices, whatever it is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from kiosk.core.errors import Message as Sentence
from kiosk.core.secret import Secret
from kiosk.core.untrusted_text import visible
from kiosk.desk.tables import Look, PageLine, Table
from kiosk.desk.views import Choice, FieldKind, Filled, Page
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import said
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.choice_list import ChoiceList
from kiosk.tui.widgets.entry_field import OptionField, TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.page_fields import widget_of
from kiosk.tui.widgets.page_lines import in_words, page_line
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.tui.widgets.row_table import RowTable
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.station import FaceSettings

_ACTION = " action"
_NO_TABLE = Table(columns=(), rows=())
_WIDE = 110
"""Columns from which there is room for two things side by side."""


class PageScreen(KioskScreen):
    """Shows one `Page`; nothing of it outlives the next."""

    CSS_PATH = "page.tcss"
    has_frame = False
    AUTO_FOCUS = ""  # it would scroll what is to be read first out of sight

    class Submitted(Told):
        """The page's action; `take` hands over what was typed."""

        def __init__(self, screen: PageScreen) -> None:
            super().__init__()
            self.screen = screen

    class Chosen(Told):
        """A choice was made."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Looked(Told):
        """Other rows are wanted: `wanted`."""

    class Back(Told):
        """The operator goes back."""

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        self.page = page
        self._fields = [
            widget_of(field, self._submitted, self._changed) for field in page.fields
        ]
        self._first = 0
        """The field that has the focus first."""
        self._choices = ChoiceList(
            self._offered(),
            self._choose,
            is_marked=not page.asks_own_key and page.table is None,
        )
        self._table = RowTable(page.table or _NO_TABLE, self._look)
        self.KEYS = self._keys()

    def compose(self) -> ComposeResult:
        self._place_table()
        return super().compose()

    def _place_table(self) -> None:
        """Show the table or the choices: what is typed decides which."""
        has_table = self.page.table is not None
        self.set_class(has_table, "tabled")
        self._table.display = has_table
        self._choices.display = not (has_table and self.page.finds)

    def _offered(self) -> tuple[Choice, ...]:
        """Without fields, an action that anybody may try is a choice, the first."""
        page = self.page
        if page.action is None or self._has_own_key or page.finds:
            return page.choices
        return (Choice(_ACTION, page.action), *page.choices)

    @property
    def _has_own_key(self) -> bool:
        """F2 does what the page does."""
        page = self.page
        can_act = page.action is not None and not page.finds
        return can_act and bool(page.fields or page.asks_own_key)

    def _keys(self) -> tuple[KeyHint, ...]:
        page = self.page
        keys: list[KeyHint] = []
        if page.table is not None:
            keys += _table_keys(page.table)
        elif self._fields or self._choices.can_focus:
            keys += [KeyHint("Tab", "tui.key.next"), KeyHint("Enter", "tui.key.choose")]
        if self._has_own_key and page.action is not None:
            keys.append(KeyHint("F2", page.action.key))
        if page.can_go_back:
            keys.append(KeyHint("Esc", "tui.key.back"))
        elif page.finds and page.table is not None:
            keys.append(KeyHint("Esc", "tui.key.clear"))
        if page.operator and page.table is None:
            keys.append(KeyHint("F12", "tui.key.sign_out"))
        return tuple(keys)

    # --- what it looks like -----------------------------------------------------

    def corner(self) -> str:
        who = visible(self.page.operator)
        return f"{who}   {self.settings.station}" if who else self.settings.station

    def body(self) -> Iterable[Widget]:
        page = self.page
        yield line(in_words(page.title), classes="headline")
        yield Vertical(*self._notice(), id="notice")
        yield Vertical(*map(self._line, page.lines), id="lines")
        beside = Vertical(*map(page_line, page.below), id="beside")
        beside.display = bool(page.below)
        yield Container(Vertical(*self._doing(), id="doing"), beside, id="panes")
        yield self._table
        yield Static("", id="hint", markup=False)

    def _line(self, each: PageLine) -> Widget:
        return page_line(each, is_big=self.settings.big_digits)

    def _notice(self) -> Iterable[Widget]:
        if self.page.notice is not None:
            yield Bullet(marks().attention, said(self.page.notice), classes="notice")

    def _doing(self) -> Iterable[Widget]:
        """What is filled in and chosen."""
        page = self.page
        for field, widget in zip(page.fields, self._fields, strict=True):
            if field.heading is not None:
                yield line(said(field.heading), classes="heading")
            yield widget
        if self._has_own_key and page.action is not None and not page.fields:
            yield line(f"F2  {said(page.action)}", classes="own-key")
        yield self._choices

    def on_mount(self) -> None:
        first = self._fields[self._first] if self._fields else self._choices
        if first.can_focus:
            self.set_focus(first, scroll_visible=False)

    def on_resize(self, event: events.Resize) -> None:
        """Textual calls it besides the base's own."""
        self.set_class(event.size.width >= _WIDE, "wide")

    # --- what changes on it -------------------------------------------------------

    def renew(self, page: Page) -> bool:
        """Show the same page as it is now, with what is being typed; False: it is not
        the same.
        """
        if _frame_of(page) != _frame_of(self.page):
            return False
        before = self.page
        notice = before.notice if page.notice is None else page.notice
        self.page = page = dataclasses.replace(page, notice=notice)
        for place, is_new, widgets in (
            ("#notice", notice != before.notice, self._notice()),
            ("#lines", page.lines != before.lines, map(self._line, page.lines)),
            ("#beside", page.below != before.below, map(page_line, page.below)),
        ):
            if is_new:
                container = self.query_one(place, Vertical)
                container.remove_children()
                container.mount(*widgets)
        self.query_one("#beside").display = bool(page.below)
        self._choices.renew(self._offered())
        if page.table is not None:
            is_other = page.finds and _term_of(page) != _term_of(before)
            self._table.show(page.table, from_the_top=is_other)
        if (page.table is None) != (before.table is None):
            self._place_table()
            self.query_one(KeyBar).show(*self._keys())
        return True

    def wanted(self) -> Look | None:
        """Return which rows are wanted; None: there is no table here."""
        if not self.page.finds and self.page.table is None:
            return None
        return self._table.look(self._term)

    @property
    def _term(self) -> str:
        field = self._fields[0] if self.page.finds else None
        return field.value if isinstance(field, TextField) else ""

    @property
    def _is_fresh(self) -> bool:
        """The rows are those of what is in the field."""
        return not self.page.finds or self._term == _term_of(self.page)

    def _look(self) -> None:
        self.hear(self.Looked())

    def follow(self, other: PageScreen) -> None:
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

    def _go_on_from(self, other: PageScreen) -> None:
        """Keep the texts, where the fields are the same.

        A secret is not kept: it may have been meant for another card.
        """
        if _fields_of(self.page) != _fields_of(other.page):
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
        self.query_one("#hint", Static).update(said(hint) if hint else "")

    # --- keys -------------------------------------------------------------------

    def press(self, key: events.Key) -> None:
        """Take a key whole: what moves in the table is the table's."""
        table = self.page.table
        if table is not None and self._table.press(key):
            return
        is_open = table is not None and table.opens and not self._fields
        if is_open and key.key == "enter" and self._table.chosen:
            self.tell(self.Chosen(self._table.chosen))
        else:
            super().press(key)

    def _changed(self, field: TypedField) -> None:
        if field.typed.refusal is not None:
            self.app.bell()
        self._hint(field.typed.refusal)
        if self.page.finds and field.typed.refusal is None:
            self._table.begin_anew()
            self._look()

    def _submitted(self, field: Widget) -> None:
        """Go to the next field; from the last one on, unless that has its own key."""
        wrong = _refusal(field)
        if wrong is not None:
            self._start_over(field, wrong)
        elif self.page.finds:
            self._open_found()
        elif field is not self._fields[-1]:
            self.focus_next()
        elif self.page.asks_own_key:
            self._ask_own_key()
        else:
            self._submit()

    def _open_found(self) -> None:
        """Open where the cursor is; what is not shown yet the session looks for."""
        has_table = self.page.table is not None
        if has_table and self._is_fresh and self._table.chosen:
            self.tell(self.Chosen(self._table.chosen))
        elif not self._term.strip():
            self.focus_next()
        else:
            self._submit()

    def _ask_own_key(self) -> None:
        if self.page.action is not None:
            action = said(self.page.action)
            self._hint(Sentence("tui.desk.own_key", {"action": action}))

    def _submit(self) -> None:
        """Hand everything over, if all of it can be used."""
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            wrong = _refusal(widget)
            if wrong is None and field.is_needed and _is_empty(widget):
                wrong = Sentence("tui.form.incomplete")
            if wrong is not None:
                self._start_over(widget, wrong)
                return
        self.tell(self.Submitted(self))

    def _start_over(self, field: Widget, wrong: Sentence) -> None:
        self.turn.cut()
        if isinstance(field, TypedField) and _refusal(field) is not None:
            field.retype()
        self.set_focus(field)
        self._hint(wrong)

    def _choose(self, key: str) -> None:
        if key == _ACTION:
            self._submit()
        else:
            self.tell(self.Chosen(key))

    def pressed(self, key: events.Key) -> bool:
        match key.key:
            case "escape" if self.page.finds and self._term:
                self._clear()
            case "escape" if self.page.can_go_back:
                self.tell(self.Back())
            case "f2" if self._has_own_key:
                self._submit()
            case "enter" if self.page.asks_own_key:
                self._ask_own_key()
            case "down" if self._fields:
                self.focus_next()
            case "up" if self._fields:
                self.focus_previous()
            case _:
                return False
        return True

    def _clear(self) -> None:
        """Look for nothing any more."""
        for field in self._fields[:1]:
            if isinstance(field, TextField):
                field.wipe()
                self.set_focus(field)
        self._table.begin_anew()
        self._hint(None)
        self._look()

    # --- handing over -----------------------------------------------------------

    def take(self) -> Filled:
        """Hand over what was typed and wipe the fields. The session wipes the rest."""
        filled = Filled()
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            if isinstance(widget, SecretField):
                filled.secrets[field.name] = _taken(widget)
            else:
                filled.texts[field.name] = widget.value
        return filled


def _fields_of(page: Page) -> list[tuple[str, FieldKind]]:
    return [(field.name, field.kind) for field in page.fields]


def _refusal(widget: Widget) -> Sentence | None:
    return widget.typed.refusal if isinstance(widget, TypedField) else None


def _is_empty(widget: Widget) -> bool:
    return isinstance(widget, TypedField) and not len(widget.typed)


def _taken(widget: SecretField) -> Secret:
    value = widget.copy()
    widget.wipe()
    return value


def _table_keys(table: Table) -> Iterable[KeyHint]:
    yield KeyHint("arrows", "tui.key.move")
    if table.opens:
        yield KeyHint("Enter", "tui.key.open")
    if table.sorted_by:
        yield KeyHint("F3", "tui.key.sort")
        yield KeyHint("F4", "tui.key.turn")


def _term_of(page: Page) -> str:
    return page.fields[0].value if page.fields else ""


def _frame_of(page: Page) -> tuple[object, ...]:
    """Return what has to be the same for a page to be shown in place of another."""
    offered = [(each.key, each.letter, each.refusal) for each in page.choices]
    can = (page.action, page.asks_own_key, page.can_go_back, page.finds)
    columns = () if page.table is None or page.finds else page.table.columns
    return page.name, page.title, page.operator, _fields_of(page), offered, can, columns
