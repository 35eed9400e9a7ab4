"""Whole visits on a real terminal: in one write, in random pieces, byte by byte.

Whoever judges knows what was typed: what was used is that, or nothing was used; no try
is spent, and no secret can be read, whatever the pieces are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from lab.matrix.kiosk_worlds import PIN
from lab.matrix.visitor import Visitor, visitor

from kiosk.simulation.demo_desk import PASSWORD

NEW = b"314159"
CHANGE = b"\r".join((PIN, NEW, NEW)) + b"\r"
SIGN_IN = b"hanna\t" + PASSWORD + b"\r"
SEEDS = range(12)


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Visitor]:
    with visitor("kiosk") as at:
        yield at


@pytest.fixture(scope="module")
def desk() -> Iterator[Visitor]:
    with visitor("desk") as at:
        yield at


@pytest.fixture(scope="module")
def plain() -> Iterator[Visitor]:
    with visitor("plain") as at:
        yield at


def in_pieces(seed: int, keys: bytes) -> list[bytes]:
    """Cut what is typed at random."""
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(keys)), chance.randint(1, 6)))
    return [keys[a:b] for a, b in zip([0, *cuts], [*cuts, len(keys)], strict=True)]


def of_everyday(at: Visitor) -> tuple[str, int]:
    """The PIN of the card, and its tries."""
    pin, tries, _ = at.facts()["cards"]["everyday"]
    return pin, tries


def pressed(at: Visitor, pieces: list[bytes]) -> None:
    """Press pieces, each handled before the next; nobody looks in between."""
    at.ask("rest")
    for piece in pieces:
        at.press(piece)
        at.settle()


def home(at: Visitor) -> None:
    at.ask("anew")
    if at.settle() != "IdleScreen":
        at.type(b"\r")
    at.ask("insert", situation="everyday")
    at.settle()
    at.ask("rest")


@pytest.mark.parametrize("way", ["one write", "bytes"])
def test_a_form_is_filled_at_any_speed(kiosk: Visitor, way: str) -> None:
    home(kiosk)
    kiosk.type(b"1")
    pieces = [CHANGE] if way == "one write" else [bytes((it,)) for it in CHANGE]
    pressed(kiosk, pieces)
    assert of_everyday(kiosk) == (NEW.decode(), 3)
    assert kiosk.ask("knows", name="everyday", password=NEW.decode())["knows"]


def test_a_visit_that_is_typed_slowly_is_done(kiosk: Visitor) -> None:
    home(kiosk)
    pressed(kiosk, [b"1"])
    kiosk.terminal.shows("Your PIN until now")
    kiosk.settle()
    pressed(kiosk, [bytes((it,)) for it in CHANGE])
    assert of_everyday(kiosk) == (NEW.decode(), 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_visit_in_pieces_is_done_or_changes_nothing(
    kiosk: Visitor, seed: int
) -> None:
    home(kiosk)
    pressed(kiosk, in_pieces(seed, b"1" + CHANGE))
    assert of_everyday(kiosk) in ((PIN.decode(), 3), (NEW.decode(), 3))
    assert PIN.decode() not in kiosk.text()
    assert NEW.decode() not in kiosk.text()


def test_a_visit_in_one_write_is_not_done_by_halves(kiosk: Visitor) -> None:
    home(kiosk)
    pressed(kiosk, [b"1" + CHANGE])
    assert of_everyday(kiosk) == (PIN.decode(), 3)
    assert "Keys that came too early" in kiosk.text()
    kiosk.type(b"\r", CHANGE)
    assert of_everyday(kiosk) == (NEW.decode(), 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plain_visit_in_pieces_is_done_or_changes_nothing(
    plain: Visitor, seed: int
) -> None:
    plain.ask("anew")
    plain.settle()
    plain.ask("insert", situation="everyday")
    plain.settle()
    plain.ask("rest")
    pressed(plain, in_pieces(seed, b"1\r1\r" + CHANGE))
    assert of_everyday(plain) in ((PIN.decode(), 3), (NEW.decode(), 3))


def at_sign_in(at: Visitor) -> None:
    at.ask("anew")
    at.ask("open", page="sign in")
    at.settle()
    at.ask("rest")


def who(at: Visitor) -> str:
    return str(at.ask("operator")["operator"])


@pytest.mark.parametrize("way", ["one write", "bytes"])
def test_account_and_password_land_where_they_belong(desk: Visitor, way: str) -> None:
    at_sign_in(desk)
    desk.type(b"1")
    pieces = [SIGN_IN] if way == "one write" else [bytes((it,)) for it in SIGN_IN]
    pressed(desk, pieces)
    assert who(desk) == "hanna@ad.test"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_password_is_never_read_whatever_the_pieces(desk: Visitor, seed: int) -> None:
    at_sign_in(desk)
    before = desk.facts()["wrong passwords"]
    pressed(desk, in_pieces(seed, b"1" + SIGN_IN))
    assert who(desk) in ("", "hanna@ad.test")
    assert desk.facts()["wrong passwords"] == before
    seen = desk.written().decode(errors="replace") + desk.text()
    parts = [PASSWORD[at : at + 4].decode() for at in range(len(PASSWORD) - 3)]
    assert not [part for part in parts if part in seen and part not in "Operator"]
