"""A field for what nobody else may read: bytes that cannot be copied or pasted.

Keeps a `bytearray`, takes printable ASCII of its alphabet only, ignores paste, mouse
and selection, and posts messages without the value. It draws character by character,
so that no string of Textual's, cached or not, ever holds the whole value. Wiped when
it leaves the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kiosk.faces.marks import marks
from kiosk.pinrules import Alphabet
from kiosk.secret import Secret
from kiosk.visit.views import FieldName


class WhyRefused(Enum):
    """Why a key was not taken."""

    ALPHABET = auto()
    FULL = auto()


class SecretField(Widget, can_focus=True):
    """One line under its label. Subclasses say how what was typed looks."""

    DEFAULT_CSS = """
    SecretField { height: 3; border: $edge $secondary; padding: 0 1; }
    SecretField { border-title-color: $text-muted; }
    SecretField:focus { border: $focused-edge $accent; }
    SecretField:focus { border-title-color: $accent; border-title-style: bold; }
    """

    class Changed(Message):
        """Something was typed or deleted; the value stays in the field."""

    class Refused(Message):
        """A key was not taken."""

        def __init__(self, why: WhyRefused) -> None:
            super().__init__()
            self.why = why

    def __init__(
        self,
        field: FieldName,
        label: str,
        *,
        alphabet: Alphabet,
        maximum: int,
        submitted: Callable[[SecretField], None],
    ) -> None:
        """`maximum` in characters. `submitted` is called at once on Enter, so that
        the next key, already on its way, finds the next field.
        """
        super().__init__(classes=field)
        self.field = field
        self.border_title = label
        self.maximum = maximum
        self._alphabet = alphabet
        self._submitted = submitted
        self._value = bytearray()
        self._excess = 0
        self._is_to_be_retyped = False

    # --- the value --------------------------------------------------------------

    def copy(self) -> Secret:
        """Return a copy of what was typed; the caller wipes it."""
        return Secret(self._value)

    def wipe(self) -> None:
        """Forget what was typed."""
        for index in range(len(self._value)):
            self._value[index] = 0
        self._value.clear()
        self._excess = 0
        self._is_to_be_retyped = False
        self.refresh()

    def retype(self) -> None:
        """Keep the entry to look at; the next character begins a new one."""
        self._is_to_be_retyped = True

    @property
    def is_overfull(self) -> bool:
        """More was typed than fits: what was kept is not what the person means."""
        return self._excess > 0

    def __len__(self) -> int:
        """How many characters were kept."""
        return len(self._value)

    def __bool__(self) -> bool:
        """A field is one, empty or not."""
        return True

    # --- what it looks like -----------------------------------------------------

    def characters(self) -> Iterable[str]:
        """Return what stands for the value, one character each."""
        return (marks().hidden for _ in self._value)

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        style = self.visual_style.rich_style
        width = self.content_size.width
        shown = [*self.characters()][-width + 1 :]
        if self.has_focus:
            shown.append(marks().cursor)
        pieces = [Segment(character, style) for character in shown]
        pieces.append(Segment(" " * (width - len(shown)), style))
        return Strip(pieces, width)

    # --- keys -------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not self and isinstance(focused, SecretField):
            focused.on_key(event)  # pressed before the focus had moved on
        elif event.key == "enter":
            event.stop()
            self._submitted(self)
        elif event.key == "backspace":
            event.stop()
            self._erase()
        elif event.is_printable and event.character is not None:
            event.stop()
            self._type(event.character)

    def _type(self, character: str) -> None:
        if self._is_to_be_retyped:
            self.wipe()
        if not self._is_of_alphabet(character):
            self.post_message(self.Refused(WhyRefused.ALPHABET))
        elif len(self._value) >= self.maximum:
            self._excess += 1
            self.post_message(self.Refused(WhyRefused.FULL))
        else:
            self._value.append(ord(character))
            self._changed()

    def _erase(self) -> None:
        self._is_to_be_retyped = False
        if self._excess:
            self._excess -= 1
        elif self._value:
            self._value[-1] = 0
            del self._value[-1]
        self._changed()

    def _is_of_alphabet(self, character: str) -> bool:
        if self._alphabet is Alphabet.DIGITS:
            return character in _DIGITS
        return len(character) == 1 and " " <= character <= "~"

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_unmount(self) -> None:
        self.wipe()


_DIGITS = frozenset("0123456789")
