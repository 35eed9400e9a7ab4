"""An operator's work at any speed: key by key, in pieces, in one write.

What is done is what was typed; a password is never read, wherever its keys went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from lab.matrix.keys import F2
from lab.matrix.visitor import Visitor, visitor
from lab.terminal.speeds import in_pieces, one_by_one, send

pytestmark = pytest.mark.long

PASSWORD = "Operator-2026"
SEEDS = range(2)
Facts = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What somebody does at the desk; `{name}` is the key of a choice so called."""

    name: str
    keys: tuple[str, ...]
    """One for each page."""
    done: Callable[[Facts], bool]
    reason: str = ""


def _released(facts: Facts) -> bool:
    return bool(facts["codes"] == 1)


def _revoked(facts: Facts) -> bool:
    return bool(facts["credentials"]["credential-everyday"][0] == "revoked")


def _saved(facts: Facts) -> bool:
    return bool(facts["templates"]["staff"] == 2)


F2_KEY = F2.decode()
WORKS = (
    Work(
        "release",
        ("\r", f"hanna\t{PASSWORD}\r", "carol\r", "{Give an unblock code}", F2_KEY),
        _released,
    ),
    Work(
        "revoke",
        (
            "\r",
            f"hanna\t{PASSWORD}\r",
            "alice\r",
            "{Revoke for good}",
            f"lost\tada\t{PASSWORD}{F2_KEY}",
        ),
        _revoked,
        reason="lost",
    ),
    Work(
        "template",
        (
            "\r",
            f"ada\t{PASSWORD}\r",
            "\t{Templates}",
            "{staff}",
            f"\t {F2_KEY}",
            F2_KEY,
        ),
        _saved,
    ),
)
NAMES = [work.name for work in WORKS]


@pytest.fixture(scope="module")
def desk() -> Iterator[Visitor]:
    with visitor("desk", size=(80, 60)) as it:
        it.settle()
        yield it


def begun(it: Visitor) -> Facts:
    it.ask("anew")
    it.ask("open", page="sign in")
    it.settle()
    it.written()
    return it.facts()


def keyed(it: Visitor, keys: str) -> str:
    """Put in the key that a choice has on the screen now."""
    named = re.search(r"\{(.+)\}", keys)
    if named is None:
        return keys
    found = re.search(rf"(\w)  {named[1]}", it.text())
    assert found, f"no {named[1]} in\n{it.text()}"
    return keys.replace(named[0], found[1].lower())


_KEYS: dict[str, bytes] = {}
"""Every key of a work, once it is known which keys its choices have."""


def every_key(it: Visitor, work: Work) -> bytes:
    """Return all its keys, known from doing it page by page once."""
    if work.name not in _KEYS:
        _KEYS[work.name] = done_once(it, work)
    return _KEYS[work.name]


def done_once(it: Visitor, work: Work) -> bytes:
    """Do the work page by page; return the keys."""
    begun(it)
    pressed = ""
    for keys in work.keys:
        now = keyed(it, keys)
        send(it, one_by_one(now.encode()))
        pressed += now
    return pressed.encode()


def judged(it: Visitor, work: Work, before: Facts) -> bool:
    """Say whether it was done; else nothing was, but that somebody signed in."""
    it.settle()
    facts = it.facts()
    is_done = work.done(facts)
    if not is_done:
        for what in ("cards", "credentials", "codes", "templates", "writes"):
            assert facts[what] == before[what]
    if work.reason:
        assert it.ask("reasons")["reasons"] == ([work.reason] if is_done else [])
    assert facts["wrong passwords"] == 0
    assert PASSWORD not in it.text()
    assert PASSWORD.encode() not in it.written()
    assert it.complaints() == []
    return is_done


@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_key_by_key_it_is_done(desk: Visitor, work: Work) -> None:
    before = begun(desk)
    done_once(desk, work)
    assert judged(desk, work, before)


@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_page_by_page_it_is_done(desk: Visitor, work: Work) -> None:
    """A scanner or a wedge writes what a page wants at once."""
    before = begun(desk)
    for keys in work.keys:
        desk.type(keyed(desk, keys).encode())
    assert judged(desk, work, before)


@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_in_one_write_nothing_is_done_that_was_not_typed(
    desk: Visitor, work: Work
) -> None:
    keys = every_key(desk, work)
    before = begun(desk)
    desk.type(keys)
    judged(desk, work, before)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_in_pieces_nothing_is_done_that_was_not_typed(
    desk: Visitor, work: Work, seed: int
) -> None:
    keys = every_key(desk, work)
    before = begun(desk)
    send(desk, in_pieces(seed)(keys))
    judged(desk, work, before)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_in_pieces_that_nobody_waits_for(desk: Visitor, work: Work, seed: int) -> None:
    keys = every_key(desk, work)
    before = begun(desk)
    for piece in in_pieces(seed)(keys):
        desk.press(piece)
    judged(desk, work, before)
