"""A secret shows itself to nobody and is gone when it is wiped."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from kiosk.core.secret import Secret
from kiosk.visit.views import Answers, FieldName

VALUE = b"271828"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r:>30}".format])
def test_it_shows_nothing(show: object) -> None:
    assert "271828" not in show(Secret(VALUE))  # type: ignore[operator]  # each is a function


def test_wiping_overwrites_the_buffer_itself() -> None:
    secret = Secret(VALUE)
    held = memoryview(secret.reveal())
    secret.wipe()
    assert bytes(held) == bytes(6)
    assert not secret


def test_an_error_on_its_way_up_is_not_hidden_by_what_it_still_looks_at() -> None:
    class Pulled(Exception):
        pass

    def send(part: memoryview) -> None:
        raise Pulled

    typed = {FieldName.OLD_PIN: Secret(VALUE), FieldName.NEW_PIN: Secret(b"314159")}
    answers = Answers(typed)

    def submit() -> None:
        try:
            with memoryview(typed[FieldName.OLD_PIN].reveal()) as view:
                send(view[:])
        finally:
            answers.wipe()

    with pytest.raises(Pulled):
        submit()
    assert not any(typed.values())


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

    monkeypatch.setattr("hmac.compare_digest", compare)
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
