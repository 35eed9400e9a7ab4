"""All keys that do something on an operator's page, and why the rest cannot be done.

It covers the page, which keeps what is typed on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.containers import Horizontal
from textual.widget import Widget

from kiosk.desk.views import Page
from kiosk.faces.wording import said, say
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.page_frame import all_keys_of
from kiosk.tui.widgets.bars import KeyHint, cap_in_words
from kiosk.tui.widgets.page_lines import in_words
from kiosk.tui.widgets.panels import line
from kiosk.tui.widgets.refused_choices import RefusedChoices
from kiosk.visit.station import FaceSettings

HELP_KEYS = frozenset({"f1", "question_mark"})
"""The second one only where nothing is being typed."""


class Closed(Told):
    """What covers the page is to go."""


class HelpScreen(KioskScreen):
    """One line a key; Esc goes back to the page."""

    CSS_PATH = "cover.tcss"
    KEYS = (KeyHint("arrows", "tui.key.read"), KeyHint("Esc", "tui.key.back"))
    has_frame = False

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        self._page = page

    def body(self) -> Iterable[Widget]:
        title = in_words(self._page.title)
        yield line(say("tui.keys.title", page=title), classes="headline")
        for hint in all_keys_of(self._page):
            yield _row(hint.cap, say(hint.text))
        open_ = [each for each in self._page.choices if each.refusal is None]
        if any(each.letter for each in open_):
            yield line(say("tui.keys.choices"), classes="heading")
        for each in open_:
            if each.letter:
                yield _row(each.letter.title(), in_words(each.label))
        if self._page.action is not None and not self._page.finds:
            yield line(say("tui.keys.own_key"), classes="heading")
            yield _row("F2", said(self._page.action))
        yield RefusedChoices(self._page.choices)

    def pressed(self, key: events.Key) -> bool:
        if key.key == "escape" or key.key in HELP_KEYS:
            self.tell(Closed())
            return True
        return False


def _row(cap: str, text: str) -> Widget:
    shown = cap_in_words(cap)
    return Horizontal(line(shown, classes="cap"), line(text, classes="does"))
