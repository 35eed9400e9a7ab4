"""Whatever can be done here or gone to, found by a few letters of its name.

It covers an operator's page, which keeps what is typed on it. The kiosk has none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from kiosk.desk.views import Choice, Page
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import say
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.help import Closed
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.entry_field import TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.page_lines import in_words
from kiosk.tui.widgets.panels import line
from kiosk.visit.station import FaceSettings

PALETTE_KEY = "ctrl+p"


class PaletteScreen(KioskScreen):
    """What is typed leaves those with words that begin so."""

    CSS_PATH = "cover.tcss"
    KEYS = (
        KeyHint("arrows", "tui.key.move"),
        KeyHint("Enter", "tui.key.choose"),
        KeyHint("Esc", "tui.key.back"),
    )
    has_frame = False

    class Picked(Told):
        """Something was chosen: a choice's key."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        here = [
            each for each in page.choices if each.refusal is None and not each.of_row
        ]
        self._offered = (*here, *page.elsewhere)
        self._found: tuple[Choice, ...] = ()
        self._term = TextField(
            say("tui.palette.term"), "", submitted=self._choose, changed=self._changed
        )
        self._list = OptionList(markup=False)
        self._list.can_focus = False

    def body(self) -> Iterable[Widget]:
        yield line(say("tui.palette.title"), classes="headline")
        yield self._term
        yield self._list

    def on_mount(self) -> None:
        self.set_focus(self._term)
        self._show()

    def unfinished(self) -> int:
        """What is looked for lacks nothing when it is left."""
        return 0

    # --- what is found ------------------------------------------------------------

    def _changed(self, field: TypedField) -> None:  # noqa: ARG002 - there is one
        self._show()

    def _show(self) -> None:
        words = _folded(self._term.value).split()
        self._found = tuple(
            each
            for each in self._offered
            if all(_begins(in_words(each.label), word) for word in words)
        )
        self._point(0)

    def _point(self, at: int) -> None:
        """Have the cursor there; the list is drawn anew, so that a mark tells, too."""
        last = len(self._found) - 1
        at = max(0, min(at, last))
        self._list.clear_options()
        self._list.add_options(
            [
                Content(f" {marks().pointer if n == at else ' '} {_told(each)}")
                for n, each in enumerate(self._found)
            ]
        )
        self._list.highlighted = at if self._found else None

    # --- keys -----------------------------------------------------------------------

    def press(self, key: events.Key) -> None:
        """Take a key whole: what moves in the list is the list's."""
        at = self._list.highlighted or 0
        steps = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}
        if key.key in ("escape", PALETTE_KEY):
            self.tell(Closed())
        elif key.key in steps:
            self._point(at + steps[key.key])
        else:
            super().press(key)

    def _choose(self, field: TypedField) -> None:
        at = self._list.highlighted
        if field.typed.refusal is None and self._found and at is not None:
            self.tell(self.Picked(self._found[at].key))


def _told(choice: Choice) -> str:
    letter = f"  ({choice.letter.title()})" if choice.letter else ""
    return f"{in_words(choice.label)}{letter}"


def _begins(text: str, word: str) -> bool:
    """Say whether one of the words of a text begins so."""
    return any(each.startswith(word) for each in _folded(text).split())


def _folded(text: str) -> str:
    """Return text without capitals and accents, to compare."""
    spelled = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in spelled if not unicodedata.combining(each))
