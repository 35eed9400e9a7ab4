"""Escape sequences, whole, cut, nested and wrong, at running programs: 100 kB of them.

After each storm the program is alive, nothing has changed, what was secret has been
seen by nobody, and the next person finds what they should.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from lab.matrix.cells import opened
from lab.matrix.place import Place
from lab.matrix.places import places
from lab.matrix.visitor import Visitor
from lab.terminal.keyboards import generated

from kiosk.core.exit_codes import ExitCode
from kiosk.faces.keyboard.decoder import Decoder

pytestmark = pytest.mark.long

BLOCK, BLOCKS = 1_000, 12
"""Bytes of one storm, and storms at each place: 100 kB over all places."""
MOST_GROWTH = 48 << 20
PLACES = {
    it.name: it
    for it in places()
    if it.name
    in {
        "kiosk: home, everyday",
        "kiosk: form, everyday",
        "kiosk: form, everyday, new",
        "kiosk: form, everyday, again",
        "desk: sign in, account, typed",
        "plain: PIN until now, typed",
        "plain: new PIN again, typed",
        "plain: secret for a choice, home",
        "plain: release code",
    }
}
HARMLESS = frozenset({"wrong passwords", "evidence"})
"""What an entry with Enter after it may change at the sign-in, and nowhere else."""


def storms(seed: int) -> Iterator[bytes]:
    """Return storms in which nobody asks to be shown what they typed."""
    for number in itertools.count(seed * 1_000):
        data = generated(number, BLOCK)
        decoder = Decoder()
        keys = [*decoder.feed(data), *decoder.pause()]
        if not any(key.name.endswith(("f2", "f3")) for key in keys):
            yield data


@pytest.mark.parametrize("name", PLACES)
def test_a_storm_changes_shows_and_ends_nothing(name: str) -> None:
    place = PLACES[name]
    visitor = opened(place)
    try:
        seeds = storms([*PLACES].index(name))
        begun = 0
        for number, data in enumerate(itertools.islice(seeds, BLOCKS)):
            _storm(place, visitor, data)
            if number == 1:
                begun = visitor.terminal.memory()
        assert visitor.terminal.memory() - begun < MOST_GROWTH
        place.arrive(visitor)
        assert visitor.settle().startswith(place.shows), visitor.text()
    finally:
        code = visitor.end()
    assert code == ExitCode.OK


def _storm(place: Place, visitor: Visitor, data: bytes) -> None:
    place.arrive(visitor)
    assert visitor.settle().startswith(place.shows), visitor.text()
    before = visitor.facts()
    visitor.written()
    visitor.press(data)
    visitor.settle()
    after = visitor.facts()
    may_change = HARMLESS if place.tries else frozenset[str]()
    for what in before.keys() - may_change:
        assert before[what] == after[what], (what, data)
    if place.secret:
        assert place.secret not in visitor.written(), data
        assert place.secret.decode() not in visitor.text(), data
    assert visitor.complaints() == [], data


@pytest.mark.parametrize("begun", [b"27", b"\x1b[200~27\x1b[201~"])
def test_what_was_begun_before_the_card_is_no_line(begun: bytes) -> None:
    nobody = next(it for it in places() if it.name == "plain: nobody there")
    visitor = opened(nobody)
    try:
        nobody.arrive(visitor)
        visitor.settle()
        visitor.press(begun)
        visitor.settle()
        visitor.ask("insert", situation="everyday")
        visitor.press(b"1\r")
        assert visitor.settle() == "plain _choose_language", visitor.text()
        visitor.type(b"1\r", b"1\r")  # the first is still said to lack something
        assert visitor.shown == "plain _at_home"
    finally:
        visitor.end()


def test_keys_of_who_has_gone_refuse_nobody_elses_line() -> None:
    recognising, home = (
        next(it for it in places() if it.name == f"plain: {name}")
        for name in ("recognising", "home")
    )
    visitor = opened(home)
    try:
        recognising.arrive(visitor)
        visitor.press(b"27")
        visitor.settle()
        home.arrive(visitor)
        assert visitor.settle() == home.shows, visitor.text()
    finally:
        visitor.end()
