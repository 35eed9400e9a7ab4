"""Whole visits at any speed: in one write, in pieces, one key after the other.

At whatever speed it comes, what is used is what was typed, or nothing happens. Nobody
types a wrong PIN here: whatever was lost on the way, no card has lost a try.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from lab.matrix.visitor import Visitor, visitor
from lab.terminal.speeds import in_pieces, one_by_one, send

NEW = "314159"
ENTER = "\r"
SEEDS = range(2)


@dataclass(frozen=True)
class Visit:
    """Somebody with a card, and every key they press; `{code}` is read out to them."""

    name: str
    situation: str
    keys: str
    old: str
    kind: str = ""
    by_lines: str = ""
    """At the plain kiosk, where that is different: it asks anew instead of waiting."""


VISITS = (
    Visit("first day", "first day", f"\r482915\r{NEW}\r{NEW}\r", "482915"),
    Visit(
        "change with mistakes",
        "everyday",
        f"\r27\r1828\r123456\r{NEW}\r314158\r{NEW}\r{NEW}\r",
        "271828",
        by_lines=f"\r27\r271828\r123456\r{NEW}\r314158\r{NEW}\r{NEW}\r",
    ),
    Visit("change", "everyday", f"\r271828\r{NEW}\r{NEW}\r", "271828"),
    Visit("unblock", "blocked", f"\r{{code}}\r{NEW}\r{NEW}\r", "161803", "release"),
    Visit("by code", "by code", f"\r{{code}}\r{NEW}\r{NEW}\r", "264575", "activation"),
    Visit("finish", "out of step", "\r173205\r", "173205"),
)
NAMES = [visit.name for visit in VISITS]
SMOOTH = [visit for visit in VISITS if not visit.by_lines]
"""Without mistakes: nobody types on in the same breath after a refusal."""
LANGUAGE = "1\r1"
"""At the plain kiosk: English, and the first thing that may be done."""


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Visitor]:
    with visitor("kiosk") as it:
        yield it


@pytest.fixture(scope="module")
def plain() -> Iterator[Visitor]:
    with visitor("plain") as it:
        yield it


def begun(it: Visitor, visit: Visit) -> bytes:
    """Put the card in; return every key of the visit at the screens."""
    return _begun(it, visit, visit.keys)


def begun_by_lines(it: Visitor, visit: Visit) -> bytes:
    """Put the card in; return every key of the visit at the plain kiosk."""
    return _begun(it, visit, LANGUAGE + (visit.by_lines or visit.keys))


def _begun(it: Visitor, visit: Visit, keys: str) -> bytes:
    it.settle()
    it.ask("anew")
    it.ask("insert", situation=visit.situation)
    it.settle()
    code = ""
    if visit.kind:
        code = it.ask("code", name=visit.situation, kind=visit.kind)["code"]
    return keys.format(code=code).encode()


def judged(it: Visitor, visit: Visit, *, is_read: bool = False) -> bool:
    """Say whether it was done; nothing but that or nothing may have happened.

    `is_read`: whoever waits for each question sees what it asks, and types a PIN
    where a number is asked for: that is shown.
    """
    it.settle()
    facts = it.facts()
    pin, tries, _ = facts["cards"][visit.situation]
    is_done = bool(facts["writes"] == 1)
    new = visit.old if visit.name == "finish" else NEW
    assert pin == (new if is_done else visit.old)
    assert tries == (0 if visit.situation == "blocked" and not is_done else 3)
    assert facts["writes"] <= 1
    if is_done:
        assert it.ask("knows", name=visit.situation, password=pin)["knows"]
    assert it.complaints() == []
    written, text = it.written(), it.text()
    assert is_read or (NEW.encode() not in written and NEW not in text)
    return is_done


@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_key_by_key_it_is_done(kiosk: Visitor, visit: Visit) -> None:
    send(kiosk, one_by_one(begun(kiosk, visit)))
    assert judged(kiosk, visit)


@pytest.mark.parametrize("visit", SMOOTH, ids=[it.name for it in SMOOTH])
def test_a_form_in_one_write_is_done(kiosk: Visitor, visit: Visit) -> None:
    """A card reader of badges, or a password manager, types like that."""
    keys = begun(kiosk, visit)
    kiosk.type(keys[:1])
    kiosk.type(keys[1:])
    assert judged(kiosk, visit)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_in_pieces_nothing_is_used_that_was_not_typed(
    kiosk: Visitor, visit: Visit, seed: int
) -> None:
    send(kiosk, in_pieces(seed)(begun(kiosk, visit)))
    judged(kiosk, visit)


@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_in_one_write_nothing_is_used_that_was_not_typed(
    kiosk: Visitor, visit: Visit
) -> None:
    kiosk.type(begun(kiosk, visit))
    judged(kiosk, visit)


@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_key_by_key_it_is_done_line_by_line(plain: Visitor, visit: Visit) -> None:
    send(plain, one_by_one(begun_by_lines(plain, visit)))
    assert judged(plain, visit)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_in_pieces_line_by_line(plain: Visitor, visit: Visit, seed: int) -> None:
    send(plain, in_pieces(seed)(begun_by_lines(plain, visit)))
    judged(plain, visit, is_read=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("visit", VISITS, ids=NAMES)
def test_in_pieces_that_nobody_waits_for_line_by_line(
    plain: Visitor, visit: Visit, seed: int
) -> None:
    for piece in in_pieces(seed)(begun_by_lines(plain, visit)):
        plain.press(piece)
    judged(plain, visit)


@pytest.mark.parametrize("face", ["kiosk", "plain"])
def test_an_entry_lacks_nothing_that_was_typed_too_early(
    face: str, request: pytest.FixtureRequest
) -> None:
    """While the card is asked nobody takes keys: what is typed then is not left out
    of an entry that is used.
    """
    it: Visitor = request.getfixturevalue(face)
    it.ask("anew")
    it.ask("insert", situation="everyday")
    it.settle()
    if face == "plain":
        it.type(b"1\r")
    it.ask("hold")
    it.type(b"1\r" if face == "plain" else ENTER.encode(), b"99")
    it.ask("go_on")
    it.settle()
    it.type(b"271828\r", f"{NEW}\r".encode(), f"{NEW}\r".encode())
    assert it.facts()["cards"]["everyday"] == ["271828", 3, 3]
