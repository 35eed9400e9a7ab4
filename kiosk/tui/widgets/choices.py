"""A list of actions: allowed ones can be chosen, the others say why not."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from kiosk.tui.words import said, say
from kiosk.visit.views import ActionOffer
from statemachine.operation import Kind


class Choices(Widget, can_focus=True):
    """Numbers, arrows and Enter choose."""

    DEFAULT_CSS = """
    Choices { height: auto; }
    """

    at: reactive[int] = reactive(0)
    """Which of the allowed actions is marked."""

    class Chosen(Message):
        """An action was chosen."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, offers: tuple[ActionOffer, ...]) -> None:
        super().__init__()
        self._allowed = [offer for offer in offers if offer.allowed]
        self._refused = [offer for offer in offers if not offer.allowed]
        marked = [n for n, offer in enumerate(self._allowed) if offer.recommended]
        self.set_reactive(Choices.at, marked[0] if marked else 0)

    def render(self) -> Content:
        lines: list[Content] = []
        for number, offer in enumerate(self._allowed):
            is_marked = number == self.at
            mark = "▶" if is_marked else " "
            line = f" {mark} {number + 1}  {say(f'tui.action.{offer.kind}')} "
            lines.append(Content.styled(line, "bold reverse" if is_marked else "bold"))
            lines.append(Content(f"      {say(f'tui.action_help.{offer.kind}')}"))
        if self._allowed and self._refused:
            lines.append(Content(""))
        for offer in self._refused:
            reason = said(offer.reason) if offer.reason else ""
            text = f"   –  {say(f'tui.form.{offer.kind}')}: {reason}"
            lines.append(Content.styled(text, "dim"))
        return Content("\n").join(lines)

    def on_key(self, event: events.Key) -> None:
        count = len(self._allowed)
        if not count:
            return
        if event.key in ("down", "tab"):
            self.at = (self.at + 1) % count
        elif event.key in ("up", "shift+tab"):
            self.at = (self.at - 1) % count
        elif event.key == "enter":
            self.post_message(self.Chosen(self._allowed[self.at].kind))
        elif event.character and event.character.isdigit():
            number = int(event.character)
            if not 1 <= number <= count:
                return
            self.post_message(self.Chosen(self._allowed[number - 1].kind))
        else:
            return
        event.stop()
