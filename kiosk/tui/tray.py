"""The demo tray: simulated cards under the kiosk's screen, moved with function keys.

Only `kiosk demo` has it. It is the one place that shows codes and PINs, because they
are those of simulated people.
"""

from __future__ import annotations

from typing import Literal

from textual.content import Content
from textual.widget import Widget

from kiosk.faces.demo_deck import DemoDeck
from kiosk.faces.wording import say
from kiosk.tui.widgets.bars import cap_in_words

Wish = Literal["", "cross", "end"]
"""What is to happen to the program: nothing, its other side, its end."""
DEMO_KEYS = frozenset({"ctrl+t", "f5", "f6", "f7", "f8", "f9", "f10", "ctrl+q"})


class TrayHand:
    """The person outside the screen: what they hold, and what they were told."""

    def __init__(self, deck: DemoDeck) -> None:
        self.deck = deck
        self.at = 0
        """The card that would be inserted."""
        self.heard = ""
        """What the helpdesk said last."""

    def tray(self) -> Tray:
        """Return what shows it."""
        return Tray(self)

    def knows(self, key: str) -> bool:
        """Say whether a key is one of the tray's."""
        return key in DEMO_KEYS

    def press(self, key: str) -> Wish:
        """Take one of the tray's keys; return what is to happen besides."""
        count = len(self.deck.cards)
        match key:
            case "f5":
                self.heard = ""
                self.deck.insert(self.at)
            case "f6":
                self.deck.pull()
            case "f7":
                self.at = (self.at - 1) % count
            case "f8":
                self.at = (self.at + 1) % count
            case "ctrl+t":
                self.heard = ""
                return "cross"
            case "f9":
                self.heard = self.deck.release_code()
            case _:
                return "end"
        return ""


class Tray(Widget):
    """What can be inserted, what its holder knows, and what is true behind it all."""

    DEFAULT_CSS = """
    Tray { height: 4; padding: 0 2; background: $primary 15%; }
    """

    def __init__(self, hand: TrayHand) -> None:
        super().__init__()
        self._hand = hand

    def render(self) -> Content:
        deck, at = self._hand.deck, self._hand.at
        card = deck.cards[at]
        place = say("tui.tray.place", at=at + 1, all=len(deck.cards))
        return Content("\n").join(
            (
                Content.assemble(*_keys()),
                Content.assemble(
                    (f"{say('tui.tray.title')} {place}  {card.name}", "bold"),
                    f"  {card.story}",
                ),
                Content(say("tui.tray.hint", hint=card.hint)),
                Content(
                    self._hand.heard
                    or _next(deck.note(), card.next, self.content_size.width)
                ),
            )
        )


def _next(note: str, advice: str, room: int) -> str:
    """What is true behind the scenes, and what to try: that alone, if not both fit."""
    tried = say("tui.tray.next", advice=advice) if advice else ""
    both = " ".join(each for each in (note, tried) if each)
    return tried if tried and len(both) > room else both


def _keys() -> list[str | tuple[str, str]]:
    keys = ("F5", "insert"), ("F6", "pull"), ("F7 F8", "other"), ("F9", "code")
    drawn: list[str | tuple[str, str]] = []
    for cap, name in (*keys, ("Ctrl+T", "other_side"), ("F10", "quit")):
        shown = cap_in_words(cap)
        drawn += [(f" {shown} ", "reverse"), f" {say(f'tui.tray.{name}')} "]
    return drawn
