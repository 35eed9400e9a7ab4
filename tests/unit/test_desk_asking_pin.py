"""Before a PIN is typed at the desk, the tries that are left are there to be read."""

from __future__ import annotations

from typing import cast

import pytest

from kiosk.cards.errors import CardRemoved
from kiosk.cards.ports import Card
from kiosk.core.errors import Message
from kiosk.desk.pages.asking_pin import tries_at


class Told:
    """A card that tells this many."""

    def __init__(self, left: int | None) -> None:
        self.pin_tries = self
        self.left = left

    def recognise(self) -> Told:
        return self


class Gone:
    def recognise(self) -> None:
        raise CardRemoved


@pytest.mark.parametrize(
    ("left", "key"),
    [(3, "tui.tries.left"), (1, "desk.one_try_left"), (0, "tui.tries.none")],
)
def test_what_the_card_tells_is_told(left: int, key: str) -> None:
    assert tries_at(cast(Card, Told(left))) == Message(key, {"left": left})


@pytest.mark.parametrize("card", [None, Told(None), Gone()])
def test_what_nobody_tells_is_not_told(card: object) -> None:
    assert tries_at(cast(Card, card)) is None
