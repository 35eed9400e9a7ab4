"""Randomness: the machine's own on a station, repeatable where a history replays."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.entropy import Entropy, SeededEntropy, SystemEntropy


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeededEntropy(1)])
def test_it_gives_as_many_bytes_as_asked_and_never_the_same(entropy: Entropy) -> None:
    drawn = [entropy.bytes(32) for _ in range(100)]
    assert {len(each) for each in drawn} == {32}
    assert len(set(drawn)) == 100
    assert entropy.bytes(0) == b""


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeededEntropy(1)])
def test_a_number_below_a_limit_reaches_every_value_below_it(entropy: Entropy) -> None:
    assert {entropy.below(10) for _ in range(1000)} == set(range(10))
    assert entropy.below(1) == 0


@given(st.integers(0, 2**64))
def test_the_same_seed_gives_the_same_sequence(seed: int) -> None:
    one, other = SeededEntropy(seed), SeededEntropy(seed)
    assert one.bytes(16) == other.bytes(16)
    assert one.below(10**6) == other.below(10**6)


def test_another_seed_gives_another_sequence() -> None:
    assert SeededEntropy(1).bytes(16) != SeededEntropy(2).bytes(16)


def test_a_station_asks_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda count: b"\x07" * count)
    monkeypatch.setattr(secrets, "randbelow", lambda limit: limit - 1)
    assert SystemEntropy().bytes(3) == b"\x07" * 3
    assert SystemEntropy().below(10) == 9
