"""A challenge over the telephone: what the ear gets wrong is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.secret import Secret
from kiosk.pin.challenges import heard, in_hex, spoken

BLOCK = bytes.fromhex("A892D75601617C5D")


def said(text: str) -> bytes | None:
    block = heard(Secret(text.encode()))
    return None if block is None else bytes(block)


@given(st.binary(min_size=8, max_size=8))
def test_what_is_read_out_is_what_was_meant(block: bytes) -> None:
    assert said(spoken(block)) == block
    assert said(in_hex(block)) == block


def test_it_is_read_out_in_five_groups_of_five_digits() -> None:
    groups = spoken(BLOCK).split(" ")
    assert [len(group) for group in groups] == [5] * 5
    assert "".join(group[:4] for group in groups) == f"{int(BLOCK.hex(), 16):020d}"


def test_blanks_and_dashes_do_not_matter() -> None:
    assert said(spoken(BLOCK).replace(" ", "-")) == BLOCK
    assert said("a892 d756 0161 7c5d") == BLOCK


@pytest.mark.parametrize("at", range(25))
def test_one_wrong_digit_is_always_noticed(at: int) -> None:
    digits = spoken(BLOCK).replace(" ", "")
    for other in set("0123456789") - {digits[at]}:
        assert said(digits[:at] + other + digits[at + 1 :]) is None


def test_two_groups_in_the_wrong_order_are_noticed() -> None:
    groups = spoken(BLOCK).split(" ")
    for at in range(4):
        swapped = list(groups)
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        assert said(" ".join(swapped)) is None


@pytest.mark.parametrize("text", ["", "12", "x" * 25, "z" * 16, "9" * 25, "é" * 8])
def test_nonsense_is_nonsense(text: str) -> None:
    assert said(text) is None
