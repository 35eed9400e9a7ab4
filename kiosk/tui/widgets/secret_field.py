"""A field for a PIN, PUK or code: bytes that nobody can copy, paste or read back.

Keeps a `bytearray`, takes printable ASCII of its alphabet only, ignores paste, mouse
and selection, and posts messages without the value. Wiped when it leaves the screen.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from kiosk.pinrules import Alphabet
from kiosk.secret import Secret
from kiosk.visit.views import FieldName


class SecretField(Widget, can_focus=True):
    """One line of hidden characters under its label."""

    DEFAULT_CSS = """
    SecretField {
        height: 3;
        border: round $foreground 60%;
        padding: 0 1;
    }
    SecretField:focus { border: heavy $accent; }
    """

    is_shown: reactive[bool] = reactive(default=False)
    """The characters are readable now."""

    class Changed(Message):
        """Something was typed or deleted; the value stays in the field."""

    def __init__(
        self,
        name: FieldName,
        label: str,
        *,
        alphabet: Alphabet,
        maximum: int,
        submitted: Callable[[SecretField], None],
    ) -> None:
        """`submitted` is called at once on Enter, so that the next key, already on its
        way, finds the next field.
        """
        super().__init__(id=None, classes=name)
        self.field = name
        self.border_title = label
        self._alphabet = alphabet
        self._maximum = maximum
        self._submitted = submitted
        self._value = bytearray()

    def take(self) -> Secret:
        """Return a copy of what was typed; the caller wipes it."""
        return Secret(self._value)

    def wipe(self) -> None:
        """Forget what was typed."""
        for index in range(len(self._value)):
            self._value[index] = 0
        self._value.clear()
        self.refresh()

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return True

    def render(self) -> Content:
        hidden = "●" * len(self._value)
        shown = self._value.decode("ascii") if self.is_shown else hidden
        cursor = "▏" if self.has_focus else ""
        return Content(f"{shown}{cursor}")

    def on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not self and isinstance(focused, SecretField):
            focused.on_key(event)
        elif event.key == "enter":
            event.stop()
            self._submitted(self)
        elif event.key == "backspace":
            event.stop()
            if self._value:
                self._value[-1] = 0
                del self._value[-1]
                self._changed()
        elif event.is_printable and self._takes(event.character):
            event.stop()
            self._value.append(ord(event.character or ""))
            self._changed()

    def _takes(self, character: str | None) -> bool:
        if character is None or len(self._value) >= self._maximum:
            return False
        if self._alphabet is Alphabet.DIGITS:
            return character in "0123456789"
        return len(character) == 1 and " " <= character <= "~"

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()

    def on_unmount(self) -> None:
        self.wipe()
