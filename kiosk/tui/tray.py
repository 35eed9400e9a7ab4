"""The demo tray: simulated cards under the kiosk's screen, moved with function keys.

Only `kiosk demo` has it. It is the one place that shows codes and PINs, because they
are those of simulated people.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from kiosk.demo_deck import DemoDeck


@dataclass(slots=True)
class Hand:
    """What the tray remembers from screen to screen."""

    at: int = 0
    """The card that F5 inserts."""
    heard: str = ""
    """What the helpdesk said last."""


class Tray(Widget):
    """What can be inserted, what is in, and what the helpdesk said."""

    DEFAULT_CSS = """
    Tray {
        dock: bottom; height: 5; padding: 0 2; margin: 0 0 1 0;
        background: $boost; border-top: dashed $secondary;
    }
    """

    def __init__(self, deck: DemoDeck, hand: Hand) -> None:
        super().__init__()
        self._deck = deck
        self._hand = hand

    def render(self) -> Content:
        card = self._deck.cards[self._hand.at]
        count = len(self._deck.cards)
        keys = "F5 insert   F6 pull   F7/F8 other card   F9 helpdesk code   F10 quit"
        return Content("\n").join(
            (
                Content.styled(f"DEMO   {keys}", "bold"),
                Content(f"{self._hand.at + 1}/{count}  {card.name}: {card.story}"),
                Content.styled(f"      {card.hint}", "dim"),
                Content.styled(self._hand.heard or self._deck.note(), "italic"),
            )
        )

    def press(self, key: str) -> bool:
        """Take a key; say whether it was one of the tray's."""
        count = len(self._deck.cards)
        match key:
            case "f5":
                self._hand.heard = ""
                self._deck.insert(self._hand.at)
            case "f6":
                self._deck.pull()
            case "f7" | "f8":
                step = 1 if key == "f8" else -1
                self._hand.at = (self._hand.at + step) % count
            case "f9":
                self._hand.heard = self._deck.release_code()
            case _:
                return False
        self.refresh()
        return True
