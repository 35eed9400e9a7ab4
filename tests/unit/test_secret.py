"""A secret shows itself to nobody and is gone when it is wiped."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from kiosk.secret import Secret
from kiosk.text import visible

VALUE = b"271828"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r:>30}".format])
def test_it_shows_nothing(show: object) -> None:
    assert "271828" not in show(Secret(VALUE))  # type: ignore[operator]  # each is a function


def test_wiping_overwrites_the_buffer_itself() -> None:
    secret = Secret(VALUE)
    held = memoryview(secret.reveal())
    with pytest.raises(BufferError):
        secret.wipe()
    assert bytes(held) == bytes(6)


def test_a_with_block_wipes() -> None:
    with Secret(VALUE) as secret:
        assert secret.reveal() == VALUE
    assert not secret
    secret.wipe()


def test_it_owns_its_own_copy() -> None:
    outside = bytearray(VALUE)
    secret = Secret(outside)
    outside[0] = 0
    assert secret.reveal() == VALUE
    other = secret.copy()
    secret.wipe()
    assert other.reveal() == VALUE


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_cannot_be_carried_away(leak: object) -> None:
    with pytest.raises(TypeError):
        leak(Secret(VALUE))  # type: ignore[operator]  # each is a function


def test_it_is_no_key_and_compares_its_bytes() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(b"271829")
    with pytest.raises(TypeError):
        hash(Secret(VALUE))


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
