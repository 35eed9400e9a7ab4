"""Many fields in their groups: the groups at the left, one group's fields at the right,
each on one line, and below what the field means.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from kiosk.core.errors import Message
from kiosk.desk.views import PageField
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import labelled, said, say
from kiosk.tui.widgets.field import Field
from kiosk.tui.widgets.page_lines import in_words

_ROOM = 34
"""Cells for what a field is called."""


class GroupedForm(Vertical):
    """Shows the group of the field that has the focus; the others keep their values."""

    DEFAULT_CSS = """
    GroupedForm { height: 1fr; }
    GroupedForm #groups { width: 21; height: 100%; border-right: $edge $secondary; }
    GroupedForm #group {
        width: 1fr; height: 100%; padding: 0 0 0 1; overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    GroupedForm #sides { height: 1fr; }
    GroupedForm #meaning {
        height: auto; max-height: 5; color: $text-muted;
        border-top: $edge $secondary;
    }
    GroupedForm Field { height: 1; border: none; padding: 0; }
    GroupedForm Field:focus {
        border: none; background: $panel; text-style: bold;
    }
    GroupedForm Field.away { height: 0; }
    """

    def __init__(self, fields: Sequence[PageField], widgets: Sequence[Field]) -> None:
        super().__init__()
        self._fields = tuple(fields)
        self._widgets = tuple(widgets)
        self._headings: list[Message] = []
        self._group_of: list[int] = []
        for field, widget in zip(fields, widgets, strict=True):
            if field.heading is not None or not self._headings:
                self._headings.append(field.heading or field.label)
            self._group_of.append(len(self._headings) - 1)
            widget.on_one_line(_ROOM, partial(self._was, len(self._group_of) - 1))
        self._groups = Static("", id="groups", markup=False)
        self._meaning = Static("", id="meaning", markup=False)
        self._at = 0
        """The field that has the focus."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="sides"):
            yield self._groups
            yield Vertical(*self._widgets, id="group")
        yield self._meaning

    def on_mount(self) -> None:
        self.show_at(0)

    def show_at(self, at: int) -> None:
        """Show the group of the field with that number, and what the field means."""
        now = self._group_of[at]
        for widget, group in zip(self._widgets, self._group_of, strict=True):
            widget.set_class(group != now, "away")
        lines = [
            Content.styled(f"{marks().pointer} {said(heading)}", "bold")
            if number == now
            else Content(f"  {said(heading)}")
            for number, heading in enumerate(self._headings)
        ]
        self._groups.update(Content("\n").join(lines))
        self._at = at
        self._show_meaning()

    def _show_meaning(self) -> None:
        """Say what the field means, and what its change would mean."""
        field = self._fields[self._at]
        told = said(field.label)
        if field.help is not None:
            told = labelled(told, said(field.help))
        lines = [Content(told)]
        if field.effect is not None:
            effect = f"{marks().attention} {said(field.effect)}"
            lines.insert(0, Content.styled(effect, "bold $warning"))
        self._meaning.update(Content("\n").join(lines))

    def renew(self, fields: Sequence[PageField]) -> None:
        """Show the same fields as they are weighed now, with what is typed in them."""
        before, self._fields = self._fields, tuple(fields)
        for widget, was, field in zip(self._widgets, before, fields, strict=True):
            if was != field:
                widget.refresh()
        self._show_meaning()

    def group_after(self, at: int, step: int) -> int:
        """Return the first field of the group before or behind that of a field."""
        wanted = (self._group_of[at] + step) % len(self._headings)
        return self._group_of.index(wanted)

    def _was(self, at: int) -> tuple[str, str]:
        """Return what a field is in what it is compared with, and how that is said,
        with how many cards its change is about.
        """
        field = self._fields[at]
        before = field.before if field.compared is None else field.compared
        before = field.value if before is None else before
        words = dict(field.options).get(before, before)
        told = say("tui.form.was", value=in_words(words) or "–")
        if field.short_effect:
            told = f"{told}   {marks().attention} {field.short_effect}"
        return before, told
