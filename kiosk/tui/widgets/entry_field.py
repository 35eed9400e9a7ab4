"""Fields that may be read: text, and one of several values.

Not Textual's own `Input`: that one copies, pastes and suggests.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content

from kiosk.core.untrusted_text import visible
from kiosk.faces.glyphs import marks
from kiosk.faces.typed import ANY, Typed
from kiosk.tui.widgets.field import Field, TypedField

LONGEST = 256
"""Characters."""


class TextField(TypedField):
    """Typed text."""

    def __init__(
        self,
        label: str,
        value: str,
        *,
        submitted: Callable[[TypedField], None],
        changed: Callable[[TypedField], None],
    ) -> None:
        typed = Typed(ANY, max(LONGEST, len(value)))
        for character in value:
            typed.put(character)
        super().__init__(label, typed, submitted=submitted, changed=changed)

    @property
    def value(self) -> str:
        """What is in the field."""
        return self.typed.text()

    def render(self) -> Content:
        shown = visible(self.value, self.typed.keys)
        width = max(8, self.content_size.width - 1 - self._room)
        cursor = marks().cursor if self.has_focus else ""
        return self.framed(Content(shown[-width:] + cursor), self.value)

    def put_back(self, value: str) -> None:
        """Have another value in it, as if somebody had typed it."""
        self.wipe()
        for character in value:
            self.typed.put(character)
        self._tell()


class OptionField(Field):
    """One of several: left and right, or the space bar."""

    def __init__(
        self,
        label: str,
        value: str,
        submitted: Callable[[OptionField], None],
        *,
        options: tuple[tuple[str, str], ...],
        chosen: Callable[[], None],
    ) -> None:
        """`options`: value and words of each. `chosen`: called when another one is."""
        super().__init__(label)
        self.value = value
        self._submitted = submitted
        self._chosen = chosen
        self._options = options

    def render(self) -> Content:
        words = dict(self._options).get(self.value, self.value)
        shown = f"< {visible(words)} >" if self.has_focus else visible(words)
        return self.framed(Content(shown), self.value)

    def put_back(self, value: str) -> None:
        """Choose another value."""
        self.value = value
        self.redraw()
        self._chosen()

    def press(self, key: events.Key) -> bool:
        steps = {"left": -1, "right": 1, "space": 1}
        if key.key == "enter":
            self._submitted(self)
        elif key.key in steps:
            values = [value for value, _ in self._options]
            at = values.index(self.value) if self.value in values else 0
            self.put_back(values[(at + steps[key.key]) % len(values)])
        else:
            return False
        return True
