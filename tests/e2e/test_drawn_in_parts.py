"""Only what a key changes is drawn: the screen is the one that is drawn whole."""

from __future__ import annotations

from typing import Any

import pytest
from lab.matrix.cells import opened
from lab.matrix.place import Place
from lab.matrix.places import places
from lab.matrix.visitor import Visitor

pytestmark = pytest.mark.long

NAMES = (
    "kiosk: home, everyday",
    "kiosk: form, everyday",
    "kiosk: form, everyday, new",
    "kiosk: form, printable",
    "desk: sign in, account, typed",
    "desk: credential, new",
)
PLACES = [it for it in places() if it.name in NAMES]
KEYS = (b"\t", b"7", b"\t", b"\x7f", b"\x1b[B", b"\x1b[Z", b"7")
"""Tab, a digit, Backspace, down, Tab back."""
COLUMNS, LINES = 80, 24


def cells(it: Visitor) -> list[list[Any]]:
    """Return what stands in each cell, with its colours."""
    it.text()
    drawn = it.terminal._screen.buffer
    return [[drawn[line][column] for column in range(COLUMNS)] for line in range(LINES)]


def test_the_places_are_there() -> None:
    assert len(PLACES) == len(NAMES)


@pytest.mark.parametrize("place", PLACES, ids=[it.name for it in PLACES])
def test_what_keys_have_drawn_is_what_is_drawn_whole(place: Place) -> None:
    it = opened(place)
    try:
        place.arrive(it)
        it.settle()
        for key in KEYS:
            it.press(key)
            it.settle()
        in_parts = cells(it)
        it.ask("draw_whole")
        it.settle()
        assert cells(it) == in_parts
    finally:
        it.end()
