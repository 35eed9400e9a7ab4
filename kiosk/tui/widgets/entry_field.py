"""Fields that may be read: text, and one of several values.

Not Textual's own `Input`: that one copies, pastes and suggests.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from kiosk.faces.marks import marks
from kiosk.text import visible

LONGEST = 256
"""Characters."""


class EntryField(Widget, can_focus=True):
    """One line under its label; `name` is the field's."""

    DEFAULT_CSS = """
    EntryField { height: 3; border: $edge $secondary; padding: 0 1; }
    EntryField { border-title-color: $text-muted; }
    EntryField:focus { border: $focused-edge $accent; }
    EntryField:focus { border-title-color: $accent; border-title-style: bold; }
    """

    value: reactive[str] = reactive("")
    """What is in the field."""

    class Changed(Message):
        """Something was typed or chosen."""

    def __init__(
        self,
        field: str,
        label: str,
        value: str,
        submitted: Callable[[EntryField], None],
    ) -> None:
        super().__init__()
        self.field = field
        self.border_title = label
        self.set_reactive(EntryField.value, value)
        self._submitted = submitted

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            self._submitted(self)


class TextField(EntryField):
    """Typed text; paste and mouse are ignored."""

    def render(self) -> Content:
        shown = visible(self.value, LONGEST)
        width = max(1, self.content_size.width - 1)
        cursor = marks().cursor if self.has_focus else ""
        return Content(shown[-width:] + cursor)

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace":
            event.stop()
            self.value = self.value[:-1]
            self.post_message(self.Changed())
        elif event.key == "ctrl+u":
            event.stop()
            self.value = ""
        elif event.is_printable and event.character and len(self.value) < LONGEST:
            event.stop()
            self.value += event.character
            self.post_message(self.Changed())
        else:
            super().on_key(event)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()


class OptionField(EntryField):
    """One of several: left and right, or the space bar."""

    def __init__(
        self,
        field: str,
        label: str,
        value: str,
        submitted: Callable[[EntryField], None],
        *,
        options: tuple[tuple[str, str], ...],
    ) -> None:
        """`options`: value and words of each."""
        super().__init__(field, label, value, submitted)
        self._options = options

    def render(self) -> Content:
        words = dict(self._options).get(self.value, self.value)
        return Content(f"< {visible(words)} >" if self.has_focus else visible(words))

    def on_key(self, event: events.Key) -> None:
        steps = {"left": -1, "right": 1, "space": 1}
        if event.key not in steps:
            super().on_key(event)
            return
        event.stop()
        values = [value for value, _ in self._options]
        at = values.index(self.value) if self.value in values else 0
        self.value = values[(at + steps[event.key]) % len(values)]
        self.post_message(self.Changed())
