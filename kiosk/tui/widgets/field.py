"""One line to fill in, under its label, and what it does with a key.

Keys do not come by Textual's events, which are queued for each widget: a screen hands
them over one by one (`KioskScreen.press`), and each is done with before the next.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import set_cell_size
from textual import events
from textual.content import Content
from textual.keys import Keys
from textual.widget import Widget

from kiosk.faces.typed import Typed, edits_elsewhere

_TELLS = 10
"""Cells in which something can be said of what a field was."""


class Field(Widget, can_focus=True):
    """Anything that can be filled in. Enter submits it."""

    DEFAULT_CSS = """
    Field { height: 3; border: $edge $secondary; padding: 0 1; }
    Field { border-title-color: $text-muted; }
    Field:focus { border: $focused-edge $accent; }
    Field:focus { border-title-color: $accent; border-title-style: bold; }
    """

    def __init__(self, label: str) -> None:
        super().__init__()
        self.border_title = label
        self._label = label
        self._room = 0
        self._before: Callable[[], tuple[str, str]] | None = None

    def on_one_line(self, room: int, before: Callable[[], tuple[str, str]]) -> None:
        """Stand on one line from now on, behind what it is called: `room` cells.

        `before`: what it was, and how that is said where it has been changed.
        """
        self._room, self._before = room, before

    def framed(self, shown: Content, value: str) -> Content:
        """Return what is drawn: what is in it, and on one line what it is called."""
        if not self._room or self._before is None:
            return shown
        label = set_cell_size(self._label, self._room - 1)
        before, told = self._before()
        line = Content(f"{label} ") + shown
        left = self.size.width - line.cell_length
        if value == before or left < _TELLS:
            return line
        return line + Content(f"   {told}").truncate(left, ellipsis=True)

    def redraw(self) -> None:
        """Draw what is in it; its edge and what it is called stay as they are."""
        self.refresh(self.content_size.region)

    def press(self, key: events.Key) -> bool:
        """Take a key; False: it is not for a field."""
        raise NotImplementedError


class TypedField(Field):
    """What is typed key by key. Subclasses say how it looks; paste is refused."""

    def __init__(
        self,
        label: str,
        typed: Typed,
        *,
        submitted: Callable[[TypedField], None],
        changed: Callable[[TypedField], None],
    ) -> None:
        """Both are called at once, before the next key is looked at."""
        super().__init__(label)
        self.typed = typed
        self._submitted = submitted
        self._changed = changed
        self._is_to_be_retyped = False

    def press(self, key: events.Key) -> bool:
        match key.key:
            case "enter":
                self._submitted(self)
                return True
            case "backspace":
                self._is_to_be_retyped = False
                self.typed.erase()
            case "ctrl+u":
                self.wipe()
            case name if edits_elsewhere(name):
                self.refuse()
            case _ if key.character is not None and key.key not in _SILENT:
                self._begin_anew()
                self.typed.put(key.character)
            case _:
                return False
        self._tell()
        return True

    def refuse(self) -> None:
        """Refuse the entry for something that a field does not take."""
        self._begin_anew()
        self.typed.refuse()
        self._tell()

    def refuse_paste(self) -> None:
        """Refuse the entry for something that was not typed."""
        self._begin_anew()
        self.typed.paste()
        self._tell()

    def come_early(self, count: int) -> None:
        """Refuse the entry for keys that were pressed before it could take them."""
        self._begin_anew()
        self.typed.come_early(count)
        self._tell()

    def wipe(self) -> None:
        """Forget what was typed."""
        self.typed.wipe()
        self._is_to_be_retyped = False
        self.redraw()

    def retype(self) -> None:
        """Keep the entry to look at; the next character begins a new one."""
        self._is_to_be_retyped = True

    def _begin_anew(self) -> None:
        if self._is_to_be_retyped:
            self.wipe()

    def _tell(self) -> None:
        self.redraw()
        self._changed(self)

    def on_unmount(self) -> None:
        self.wipe()


_SILENT = frozenset({"tab", "escape", Keys.Ignore})
"""Keys that Textual gives a character though they type none."""
