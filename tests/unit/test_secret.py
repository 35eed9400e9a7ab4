"""A secret shows itself to nobody and is gone when it is wiped."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from kiosk.core.secret import Secret

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


def test_two_secrets_are_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[bytes, bytes]] = []

    def compare(one: bytearray, other: bytearray) -> bool:
        asked.append((bytes(one), bytes(other)))
        return False

    monkeypatch.setattr("kiosk.core.secret.hmac.compare_digest", compare)
    assert Secret(VALUE) != Secret(VALUE)
    assert asked == [(VALUE, VALUE)]


def test_it_equals_nothing_but_a_secret() -> None:
    assert Secret(VALUE) != VALUE


def test_a_with_block_wipes_when_it_fails() -> None:
    secret = Secret(VALUE)
    with pytest.raises(LookupError), secret:
        raise LookupError
    assert not secret


def test_an_error_about_it_does_not_show_it() -> None:
    with pytest.raises(TypeError) as error:
        Secret(VALUE) + b""  # type: ignore[operator]  # that is the test
    assert "271828" not in str(error.value)
