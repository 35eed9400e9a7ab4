"""A field for what nobody else may read: bytes that cannot be copied or pasted.

It draws character by character, so that no string of Textual's, cached or not, ever
holds the whole value. Wiped when it leaves the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.segment import Segment
from textual.strip import Strip

from kiosk.core.secret import Secret
from kiosk.faces.glyphs import marks
from kiosk.faces.typed import Repertoire, Typed
from kiosk.tui.widgets.field import TypedField
from kiosk.visit.views import FieldName


class SecretField(TypedField):
    """One line under its label. Subclasses say how what was typed looks."""

    def __init__(
        self,
        field: FieldName,
        label: str,
        *,
        repertoire: Repertoire,
        maximum: int,
        submitted: Callable[[TypedField], None],
        changed: Callable[[TypedField], None],
        ignores: str = "",
    ) -> None:
        """`maximum` in characters. `ignores`: what may be typed and means nothing."""
        typed = Typed(repertoire, maximum, ignores=ignores)
        super().__init__(label, typed, submitted=submitted, changed=changed)
        self.add_class(field)
        self.field = field

    def copy(self) -> Secret:
        """Return a copy of what was typed; the caller wipes it."""
        return self.typed.copy()

    def __len__(self) -> int:
        """How many characters there are."""
        return len(self.typed)

    def __bool__(self) -> bool:
        """A field is one, empty or not."""
        return True

    # --- what it looks like -----------------------------------------------------

    def characters(self) -> Iterable[str]:
        """Return what stands for the value, one character each."""
        return (marks().hidden for _ in range(self.typed.keys))

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        style = self.visual_style.rich_style
        width = self.content_size.width
        shown = [*self.characters()][-width + 1 :]
        if self.has_focus:
            shown.append(marks().cursor)
        pieces = [Segment(character, style) for character in shown]
        pieces.append(Segment(" " * (width - len(shown)), style))
        return Strip(pieces, width)
