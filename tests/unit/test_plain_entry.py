"""A line as it is typed at the plain kiosk: what counts, what is kept, what is gone."""

from __future__ import annotations

import pytest

from kiosk.core.errors import Message
from kiosk.faces.entering import CODE_DIGITS
from kiosk.pin.codes import DIGITS
from kiosk.pin.rules import Alphabet
from kiosk.plain.entry import LineEntry, TypedLine


def typed(
    keys: bytes, alphabet: Alphabet = Alphabet.DIGITS, maximum: int = 8
) -> LineEntry:
    entry = LineEntry(alphabet, maximum)
    for byte in keys:
        entry.take(byte)
    return entry


def kept(entry: LineEntry) -> bytes:
    with entry.copy() as secret:
        return bytes(secret.reveal())


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (b"271828", b"271828"),
        (b"27\x7f1828", b"21828"),
        (b"27\x081828", b"21828"),
        (b"\x7f\x7f27", b"27"),
        (b"999\x15271828", b"271828"),
        (b"27\x1b[A1828", b"271828"),
        (b"27\x1b[15~1828", b"271828"),
        (b"27\x1bOQ1828", b"271828"),
        (b"27\x1b[[A1828", b"271828"),
        (b"27\x1b\x1b[A1828", b"271828"),
        (b"271828\x1b[\x7f", b"27182"),
    ],
    ids=lambda keys: repr(keys)[2:-1],
)
def test_keys_become_a_line(keys: bytes, left: bytes) -> None:
    assert kept(typed(keys)) == left


@pytest.mark.parametrize("key", [b"\r", b"\n"])
def test_enter_ends_it(key: bytes) -> None:
    assert typed(b"27").take(key[0]) is TypedLine.DONE


def test_what_does_not_fit_is_counted_and_not_kept() -> None:
    entry = typed(b"1234567890")
    assert entry.refusal == Message("tui.form.too_long", {"maximum": 8})
    assert kept(entry) == b"12345678"
    for _ in range(2):
        entry.take(0x7F)
    assert entry.length == 8
    assert kept(entry) == b"12345678"


@pytest.mark.parametrize(
    ("alphabet", "keys", "is_refused"),
    [
        (Alphabet.DIGITS, b"12a4", True),
        (Alphabet.PRINTABLE, b"12a4", False),
        (Alphabet.PRINTABLE, "ä".encode(), True),
        (Alphabet.DIGITS, b"a\x7f", False),
        (Alphabet.DIGITS, b"a\x15", False),
        (Alphabet.DIGITS, b"31a\x7f4159", False),
        (Alphabet.DIGITS, "é".encode() + b"\x7f314159", False),
    ],
)
def test_a_character_that_the_field_does_not_take_is_noticed(
    alphabet: Alphabet, keys: bytes, *, is_refused: bool
) -> None:
    assert (typed(keys, alphabet).refusal is not None) is is_refused


@pytest.mark.parametrize(
    "key",
    [
        *(b"\x1b[D", b"\x1bOC", b"\x1b[1;5C", b"\x1b[3~", b"\x1b[1~", b"\x1b[H"),
        *(b"\x1bx", b"\x03", b"\x1a", b"\x17", b"\x00"),
    ],
    ids=lambda key: repr(key)[2:-1],
)
def test_a_key_that_edits_elsewhere_or_types_nothing_refuses_the_line(
    key: bytes,
) -> None:
    entry = typed(b"27" + key + b"1828")
    assert entry.refusal == Message("tui.form.not_digits", {"count": 1})
    assert kept(typed(b"27" + key + b"1828" + b"\x7f" * 5)) == b"27"
    assert typed(b"27" + key + b"1828" + b"\x7f" * 5).refusal is None


def test_what_was_typed_before_it_was_asked_for_refuses_the_line() -> None:
    entry = LineEntry(Alphabet.DIGITS, 8)
    entry.come_early(2)
    for byte in b"1828":
        entry.take(byte)
    assert entry.refusal == Message("tui.form.too_early", {"count": 6})
    for _ in range(6):
        assert entry.take(0x7F) is TypedLine.ERASED
    assert entry.refusal is None


def test_it_is_wiped_when_it_is_left() -> None:
    with typed(b"271828") as entry:
        buffer = entry._buffer
        assert b"271828" in buffer
    assert not any(buffer)
    assert entry.length == 0


def test_a_code_is_as_long_as_the_authority_makes_it() -> None:
    assert CODE_DIGITS == DIGITS


def test_an_esc_of_its_own_swallows_nothing() -> None:
    entry = typed(b"27\x1b")
    entry.pause()
    for byte in b"1828":
        entry.take(byte)
    assert kept(entry) == b"271828"


def test_a_sequence_without_an_end_swallows_neither_enter_nor_everything() -> None:
    entry = typed(b"\x1b[")
    assert entry.take(0x0D) is TypedLine.DONE
    assert kept(typed(b"\x1b[" + b"0" * 16 + b"271828"))[-6:] == b"271828"


def test_nothing_of_a_swallowed_sequence_is_kept() -> None:
    with typed(b"\x1b[271828") as entry:
        held = [getattr(entry, name) for name in vars(entry)]
        assert not any(isinstance(each, bytes) and b"271828" in each for each in held)


def test_what_is_read_out_may_be_typed_in_groups() -> None:
    entry = LineEntry(Alphabet.DIGITS, 9, ignores=" -")
    for byte in b"123 456-789":
        assert entry.take(byte) is TypedLine.CHARACTER
    assert kept(entry) == b"123456789"
    assert entry.refusal is None


def test_broken_text_refuses_a_line() -> None:
    with LineEntry(Alphabet.DIGITS, 8) as entry:
        for byte in b"27\x8a18":
            entry.take(byte)
        assert entry.refusal is not None
