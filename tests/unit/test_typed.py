"""What was typed into a field is used as it was typed, or not at all."""

from __future__ import annotations

import pytest

from kiosk.core.errors import Message
from kiosk.faces.typed import ANY, Repertoire, Typed
from kiosk.pin.alphabet import Alphabet

DIGITS, PRINTABLE = Repertoire(Alphabet.DIGITS), Repertoire(Alphabet.PRINTABLE)


def typed(keys: str, repertoire: Repertoire = DIGITS, maximum: int = 8) -> Typed:
    entry = Typed(repertoire, maximum)
    for key in keys:
        entry.put(key)
    return entry


def value(entry: Typed) -> bytes:
    with entry.copy() as secret:
        return bytes(secret.reveal())


@pytest.mark.parametrize(
    ("repertoire", "keys", "refusal"),
    [
        (DIGITS, "271828", None),
        (DIGITS, "Abcd7392", ("not_digits", "count", 4)),
        (DIGITS, "Abcd739216", ("not_digits", "count", 4)),
        (DIGITS, "739216Ab\xe9d", ("not_digits", "count", 4)),
        (DIGITS, "\u0661\u0662\u0663", ("not_digits", "count", 3)),
        (DIGITS, "123456789", ("too_long", "maximum", 8)),
        (PRINTABLE, "aB3 ~", None),
        (PRINTABLE, "Gr\xfc\xdfe-9", ("not_characters", "count", 2)),
        (ANY, "Gr\xfc\xdfe-\u20ac", None),
        (ANY, "\u043f\u0430\u0440\u043e\u043b\u044c", None),
        (ANY, "a\u200bb\u202e", ("not_keys", "count", 2)),
        (ANY, "a\x03", ("not_keys", "count", 1)),
    ],
)
def test_an_entry_is_whole_or_refused(
    repertoire: Repertoire, keys: str, refusal: tuple[str, str, int] | None
) -> None:
    entry = typed(keys, repertoire)
    if refusal is None:
        assert entry.refusal is None
        assert value(entry).decode() == keys
    else:
        key, name, count = refusal
        assert entry.refusal == Message(f"tui.form.{key}", {name: count})


def test_backspace_takes_back_what_was_pressed_last() -> None:
    entry = typed("27\xfc1", ANY)
    entry.erase()
    entry.erase()
    assert value(entry) == b"27"
    entry = typed("27a")
    entry.erase()
    assert entry.refusal is None
    assert value(entry) == b"27"
    entry = typed("12345678xy")
    for _ in range(3):
        entry.erase()
    assert entry.refusal is None
    assert value(entry) == b"1234567"


def test_a_key_that_types_nothing_refuses_too() -> None:
    entry = typed("27")
    entry.refuse()
    assert entry.refusal == Message("tui.form.not_digits", {"count": 1})
    entry.erase()
    assert value(entry) == b"27"


def test_an_entry_without_its_beginning_is_refused_whatever_follows() -> None:
    entry = typed("")
    entry.come_early(2)
    for key in "1828":
        entry.put(key)
    assert entry.refusal == Message("tui.form.too_early", {"count": 6})
    assert value(entry) == b""
    assert entry.text() == "??????"


def test_what_was_pasted_is_called_so_whatever_it_was() -> None:
    entry = typed("27")
    entry.paste()
    entry.put("1")
    assert entry.refusal == Message("tui.form.pasted")
    assert (entry.keys, entry.text()) == (4, "27??")
    for _ in range(2):
        entry.erase()
    assert (entry.keys, entry.text()) == (2, "27")


def test_what_was_pasted_into_a_spoilt_entry_is_called_so_too() -> None:
    entry = typed("")
    entry.come_early(2)
    entry.paste()
    assert entry.refusal == Message("tui.form.pasted")
    entry.wipe()
    assert entry.keys == 0
    assert value(entry) == b""


def test_what_means_nothing_may_be_typed() -> None:
    entry = Typed(DIGITS, 9, ignores=" -")
    for key in "123 456-789":
        entry.put(key)
    assert entry.refusal is None
    assert value(entry) == b"123456789"


def test_its_buffer_never_moves_and_is_wiped() -> None:
    entry = Typed(ANY, 64)
    with memoryview(entry._buffer):  # a buffer that grew or shrank would raise here
        for key in "\u20acuro-2026" * 10:
            entry.put(key)
        assert "\u20acuro".encode() in entry._buffer
        entry.erase()
        entry.wipe()
    assert not any(entry._buffer)
    assert entry.refusal is None
    assert entry.keys == 0


def test_the_eye_sees_what_was_typed_and_where_it_cannot_be_used() -> None:
    entry = typed("1\xfc2")
    assert [entry.shown(index) for index in range(entry.keys)] == ["1", "?", "2"]


@pytest.mark.parametrize("last", ["7", "\u00e9", "\u20ac", "\U0001f600"])
def test_a_character_that_is_taken_back_leaves_nothing(last: str) -> None:
    """Whatever it has of bytes: the buffer may be read long after it was typed."""
    entry = Typed(ANY, 8)
    entry.put("1")
    entry.put(last)
    entry.erase()
    assert bytes(entry._buffer) == b"1".ljust(len(entry._buffer), b"\0")
