"""Outside text is drawn, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.untrusted_text import visible


@pytest.mark.parametrize(
    ("hostile", "forbidden"),
    [
        ("\x1b]52;c;AAAA\x07", "\x1b\x07"),
        ("\x1b[2J", "\x1b"),
        ("a\u202eb", "\u202e"),
        ("a\u2066b\u2069", "\u2066\u2069"),
        ("a\x00b\r\nc", "\x00\r\n"),
        ("a\ud800b", "\ud800"),
        ("a\ue000b", "\ue000"),
        ("a\u2028b", "\u2028"),
    ],
)
def test_outside_text_cannot_steer_a_terminal(hostile: str, forbidden: str) -> None:
    assert not set(visible(hostile)) & set(forbidden)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("Zoë Müller", "山田 太郎", "O'Brien-Smith", "[b]Ann[/b]"):
        assert visible(name) == name


def test_long_text_is_cut_visibly() -> None:
    assert visible("x" * 100, 10) == "x" * 9 + "…"


def test_what_was_taken_out_leaves_a_mark() -> None:
    assert visible("a\x1b[2Jb") == "a\ufffd[2Jb"


def test_what_is_cut_is_the_end_of_a_value_of_any_length() -> None:
    assert visible("x" * 10, 10) == "x" * 10
    assert visible("x" * 10**6, 10) == "x" * 9 + "…"


def test_a_letter_and_its_accent_are_one_character() -> None:
    assert visible("Zoe\u0308") == "Zoë"


@given(st.text(max_size=300), st.integers(1, 80))
def test_whatever_comes_in_nothing_that_steers_comes_out(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable() or any(char.isspace() for char in shown)
    for char in shown:
        assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@given(st.text(max_size=300))
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
