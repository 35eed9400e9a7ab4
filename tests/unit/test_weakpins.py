"""PINs that thieves try first, kind by kind, and how few others are refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.secret import Secret
from kiosk.pin.weak import is_weak

EQUAL = [b"", b"7", b"000000", b"1111111", b"99999999", b"aaaaaa"]
RUNS = [b"123456", b"654321", b"01234567", b"890123", b"210987", b"abcdef", b"FEDCBA"]
REPEATS = [b"1212", b"121212", b"123123", b"12341234", b"1231231", b"abababab"]
DOUBLED = [b"112233", b"998877", b"889900", b"11221122", b"aabbcc"]
MIRRORED = [b"123321", b"1234321", b"98766789", b"abccba"]
LINES = [
    *(b"159753", b"147258", b"258025", b"147852", b"123654", b"789456", b"741852963"),
    *(b"14725836", b"2580", b"0852", b"25800852", b"357159", b"963258"),
]
DATES = [
    *(b"311299", b"123199", b"991231", b"199012", b"121990", b"010190"),
    *(b"19870412", b"04121987", b"12041987", b"20260101", b"1987", b"2412"),
]
TOP = [
    *(b"520520", b"5201314", b"696969", b"password", b"PASSWORD", b"PassW0rd"),
    *(b"abc123", b"Qwerty", b"iloveyou", b"1q2w3e4r"),
]
OTHERS = [
    *(b"271828", b"926535", b"846257", b"90210473", b"314159", b"8462"),
    *(b"correct horse", b"zk4!rW", b"passwort7", b"123457", b"787879", b"557799"),
    *(b"148259", b"000001", b"329913", b"13131x"),
]


@pytest.mark.parametrize("pin", EQUAL)
def test_one_character_over_and_over_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", RUNS)
def test_a_run_is_weak_also_past_nine(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", REPEATS)
def test_a_group_repeated_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", DOUBLED)
def test_a_run_with_every_character_twice_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", MIRRORED)
def test_a_run_there_and_back_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", LINES)
def test_lines_of_the_number_pad_are_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", DATES)
def test_a_date_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", TOP)
def test_the_top_of_published_lists_is_weak_in_any_case(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", OTHERS)
def test_what_only_looks_like_one_is_not_weak(pin: bytes) -> None:
    assert not is_weak(pin)


@pytest.mark.slow
@pytest.mark.parametrize(("digits", "at_most"), [(6, 0.12), (7, 0.01), (8, 0.03)])
def test_most_pins_are_left_to_choose(digits: int, at_most: float) -> None:
    chance = random.Random(1)
    pins = [bytes(chance.choices(b"0123456789", k=digits)) for _ in range(20_000)]
    assert sum(map(is_weak, pins)) / len(pins) < at_most


@given(st.binary(max_size=20))
def test_any_bytes_are_judged_without_an_error_and_left_alone(value: bytes) -> None:
    with Secret(value) as secret:
        assert is_weak(secret.reveal()) is is_weak(value)
        assert secret.reveal() == value


@given(st.text("0123456789", min_size=2, max_size=8))
def test_backwards_a_repeat_is_as_weak(digits: str) -> None:
    pin = 2 * digits.encode()[:4]
    assert is_weak(pin)
    assert is_weak(pin[::-1])


def test_the_buffer_can_be_wiped_at_once() -> None:
    with Secret(b"271828") as secret:
        is_weak(secret.reveal())
    assert not secret
