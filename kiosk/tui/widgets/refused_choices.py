"""What cannot be done now, with each reason once, out of the way of what can."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from kiosk.desk.views import Choice
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import labelled, said, say
from kiosk.tui.widgets.page_lines import in_words
from kiosk.tui.widgets.panels import Bullet, line


class RefusedChoices(Vertical):
    """Takes no room where nothing is refused."""

    DEFAULT_CSS = """
    RefusedChoices { height: auto; color: $text-muted; }
    """

    def __init__(self, choices: tuple[Choice, ...]) -> None:
        super().__init__()
        self._refused = [each for each in choices if each.refusal is not None]
        self.display = bool(self._refused)

    def compose(self) -> ComposeResult:
        yield line(say("tui.why_not"), classes="heading")
        by_reason: dict[str, list[str]] = {}
        for choice in self._refused:
            reason = said(choice.refusal) if choice.refusal else ""
            by_reason.setdefault(reason, []).append(in_words(choice.label))
        for reason, names in by_reason.items():
            yield Bullet(marks().dot, labelled(" / ".join(names), reason))
