"""The demo's hand, moved by words: `insert 1`, `pull`, `code`, `quit`."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.faces.demo_deck import DemoDeck
from kiosk.faces.wording import say
from kiosk.plain.news import EndRequested


class DemoHand:
    """Takes what was typed where a choice was asked. Main thread."""

    def __init__(self, deck: DemoDeck, tell: Callable[[str], None]) -> None:
        self._deck = deck
        self._tell = tell

    def explain(self) -> None:
        """Say which cards there are and what can be typed."""
        self._tell(say("plain.demo.cards"))
        for number in range(1, len(self._deck.cards) + 1):
            self._tell(self._about(number))
        self._tell(say("plain.demo.how"))

    def told(self, words: str) -> bool:
        """Do what the words say; False: they are not for the hand."""
        match words.lower().split():
            case ["insert", number] if self._insert(number):
                pass
            case ["pull"]:
                self._deck.pull()
            case ["code"]:
                self._tell(self._deck.release_code())
            case ["quit"]:
                raise EndRequested
            case _:
                return False
        return True

    def _insert(self, number: str) -> bool:
        if not number.isdigit() or not 1 <= int(number) <= len(self._deck.cards):
            return False
        self._tell(self._about(int(number)))  # what was told at first may have changed
        self._deck.insert(int(number) - 1)
        return True

    def _about(self, number: int) -> str:
        card = self._deck.cards[number - 1]
        return f"  {number}: {card.name}, {card.story}; {card.hint}."
