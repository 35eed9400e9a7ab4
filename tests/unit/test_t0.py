"""A short APDU as T=0 carries it, and the simulated card that insists on it."""

from __future__ import annotations

import pytest
from lab.cards.card_kinds import make_piv

from kiosk.cards.pcsc.winscard import as_t0
from kiosk.simulation.cards.t0 import StrictT0Card


@pytest.mark.parametrize(
    ("apdu", "tpdu"),
    [
        ("00200080", "0020008000"),
        ("00f7008000", "00f7008000"),
        ("0020008002aabb", "0020008002aabb"),
        ("00cb3fff035c0100", "00cb3fff035c0100"),
        ("00a4040005a00000030800", "00a4040005a000000308"),
        ("0087119a02aabbff", "0087119a02aabb"),
    ],
    ids=["no data", "Le", "data", "data that ends in 00", "data and Le", "Le not 00"],
)
def test_one_length_byte_is_left(apdu: str, tpdu: str) -> None:
    assert bytes(as_t0(bytearray.fromhex(apdu))).hex() == tpdu


def answer(card: StrictT0Card, tpdu: str) -> str:
    return card.transmit(bytes.fromhex(tpdu)).hex()


def test_the_card_announces_and_gives_what_was_asked_for() -> None:
    card = StrictT0Card(make_piv().card)
    card.power_on()
    announced = answer(card, "00a4040005a000000308")
    assert announced[:2] == "61"
    there = announced[2:]
    assert answer(card, "00c00000ff") == f"6c{there}"
    assert answer(card, f"00c00000{there}").endswith("9000")
    assert answer(card, f"00c00000{there}") == "6985"


def test_the_card_refuses_what_is_no_t0() -> None:
    card = StrictT0Card(make_piv().card)
    card.power_on()
    for apdu in ("00200080", "00a4040005a00000030800", "00a4040006a000000308"):
        assert answer(card, apdu) == "6700"
