"""Every page of an operator's session: what keys do on it, whatever it is about."""

from __future__ import annotations

from textual import events
from textual.widget import Widget

from kiosk.core.errors import Message as Sentence
from kiosk.core.secret import Secret
from kiosk.desk.views import FieldKind, Filled
from kiosk.faces.wording import said
from kiosk.tui.messages import Told
from kiosk.tui.screens.page_frame import (
    has_own_key,
    is_function_key,
)
from kiosk.tui.screens.page_view import ACTION, PageView
from kiosk.tui.widgets.entry_field import TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.grouped_form import GroupedForm
from kiosk.tui.widgets.secret_field import SecretField


class PageScreen(PageView):
    """Shows one `Page`; nothing of it outlives the next."""

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

    class WentBack(Told):
        """The operator goes back."""

    # --- keys -------------------------------------------------------------------

    def _look(self) -> None:
        self.hear(self.Looked())

    def press(self, key: events.Key) -> None:
        """Take a key whole: what moves in the table is the table's."""
        table = self.page.table
        if table is not None and self._table.press(key):
            return
        if self._press_function_key(key.key):
            return
        is_open = table is not None and table.opens and not self._fields
        if self._form is not None and self._in_form(self._form, key.key):
            return
        if is_open and key.key == "enter" and self._table.chosen:
            self.tell(self.Chosen(self._table.chosen))
        else:
            super().press(key)

    def _press_function_key(self, key: str) -> bool:
        """Make a choice that has a key of its own, whatever is typed into."""
        for each in filter(is_function_key, self.page.choices):
            if each.letter == key and each.refusal is None:
                row = f" {self._table.chosen}" if each.of_row else ""
                self.tell(self.Chosen(f"{each.key}{row}"))
                return True
        return False

    def _in_form(self, form: GroupedForm, key: str) -> bool:
        """Take a key that goes from group to group, or takes a change back."""
        focused = self.focused
        at = next((n for n, it in enumerate(self._fields) if it is focused), 0)
        match key:
            case "pagedown" | "pageup":
                step = 1 if key == "pagedown" else -1
                self.set_focus(self._fields[form.group_after(at, step)])
            case "ctrl+z":
                self._put_back(at)
            case "f4" if len(self.page.beside) > 1:
                self._compare_with_next()
            case _:
                return False
        return True

    def _compare_with_next(self) -> None:
        """Have the fields beside those of another version: after the last the first."""
        keys = [key for key, _ in self.page.beside]
        at = keys.index(self._beside) if self._beside in keys else 0
        self._beside = keys[(at + 1) % len(keys)]
        self._look()

    def _put_back(self, at: int) -> None:
        """Take the change of one field back."""
        field, widget = self.page.fields[at], self._fields[at]
        if not isinstance(widget, SecretField):
            widget.put_back(field.value if field.before is None else field.before)

    def on_descendant_focus(self) -> None:
        """Show where the focus is now; keys do not wait for it."""
        if self._form is not None:
            for at, widget in enumerate(self._fields):
                if widget is self.focused:
                    self._form.show_at(at)

    def _changed(self, field: TypedField) -> None:
        if field.typed.refusal is not None:
            self.app.bell()
        self._hint(field.typed.refusal)
        if self.page.finds and field.typed.refusal is None:
            self._table.begin_anew()
            self._look()
        elif self.page.weighs:
            self._look()

    def _picked(self) -> None:
        if self.page.weighs:
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
        if key == ACTION:
            self._submit()
        else:
            self.tell(self.Chosen(key))

    def types(self, key: events.Key) -> bool:
        """Say whether a key types something here."""
        return key.is_printable and isinstance(self.focused, TypedField)

    def pressed(self, key: events.Key) -> bool:
        if key.key != "escape":
            self._leaving.stays()
        match key.key:
            case "escape" if self.page.finds and self._term:
                self._clear()
            case "escape" if self.page.can_go_back:
                self._leave()
            case "f2" if has_own_key(self.page):
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

    def _leave(self) -> None:
        """Go back; what would be lost is asked first."""
        asks = self.page.leaving is not None and self._has_work
        if not asks or self._leaving.is_meant(self.turn.pause):
            self.tell(self.WentBack())
        else:
            self._hint(self.page.leaving)

    @property
    def _has_work(self) -> bool:
        """Something was typed, or the page has no fields to be typed into."""
        values = [it.value for it in self._fields if not isinstance(it, SecretField)]
        return not values or values != [
            field.value if field.before is None else field.before
            for field in self.page.fields
            if field.kind not in (FieldKind.SECRET, FieldKind.PASSWORD)
        ]

    def _clear(self) -> None:
        """Look for nothing any more."""
        for field in self._fields[:1]:
            if isinstance(field, TextField):
                field.wipe()
                self.set_focus(field)
        self._table.begin_anew()
        self._hint(None)
        self._look()

    def may_leave(self) -> bool:
        """Say whether nothing would be lost; else tell what would be."""
        if self.page.leaving is None or not self._has_work:
            return True
        self._hint(self.page.leaving)
        return False

    # --- handing over -----------------------------------------------------------

    def forget(self) -> None:
        """Wipe whatever was typed."""
        for widget in self._fields:
            if isinstance(widget, TypedField):
                widget.wipe()

    def take(self) -> Filled:
        """Hand over what was typed and wipe the fields. The session wipes the rest."""
        filled = Filled()
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            if isinstance(widget, SecretField):
                filled.secrets[field.name] = _taken(widget)
            else:
                filled.texts[field.name] = widget.value
        return filled


def _refusal(widget: Widget) -> Sentence | None:
    return widget.typed.refusal if isinstance(widget, TypedField) else None


def _is_empty(widget: Widget) -> bool:
    return isinstance(widget, TypedField) and not len(widget.typed)


def _taken(widget: SecretField) -> Secret:
    value = widget.copy()
    widget.wipe()
    return value
