"""A line as it is typed at the plain kiosk: what counts, is kept, and is shown."""

from __future__ import annotations

import pytest

from kiosk.core.errors import Message
from kiosk.faces.keyboard.decoder import Decoder
from kiosk.pin.alphabet import Alphabet
from kiosk.plain.entry import LineEntry, Readable, anything, choice_up_to


class Line:
    """Somebody types, and sees what the terminal makes of it."""

    def __init__(
        self,
        alphabet: Alphabet = Alphabet.DIGITS,
        maximum: int = 8,
        *,
        readable: Readable | None = None,
        ignores: str = "",
    ) -> None:
        self.entry = LineEntry(alphabet, maximum, readable=readable, ignores=ignores)
        self.ends = 0
        self.drawn = ""
        """Every character that was ever drawn."""
        self.seen = ""
        """What stands on the line."""
        self._decoder = Decoder()

    def type(self, data: bytes) -> Line:
        for key in [*self._decoder.feed(data), *self._decoder.pause()]:
            self.ends += self.entry.take(key)
            self._draw(self.entry.echo())
        return self

    def _draw(self, echo: str) -> None:
        self.drawn += echo
        while echo.startswith("\b \b"):
            self.seen, echo = self.seen[:-1], echo[3:]
        self.seen += echo

    @property
    def kept(self) -> bytes:
        with self.entry.copy() as secret:
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
        (b"2\x1b[55u\x1bOq828", b"271828"),
        (b"27\x1b[50;1:3u1828", b"271828"),
        (b"27\x1b[<0;10;10M1828", b"271828"),
        (b"27\x1b]11;rgb:7/7/7\x1b\\1828", b"271828"),
    ],
    ids=lambda keys: repr(keys)[2:-1],
)
def test_keys_become_a_line(keys: bytes, left: bytes) -> None:
    line = Line().type(keys)
    assert line.kept == left
    assert line.entry.refusal is None


@pytest.mark.parametrize("key", [b"\r", b"\x1bOM", b"\x1b[13u", b"\x1b[27;1;13~"])
def test_enter_ends_it(key: bytes) -> None:
    assert Line().type(b"27" + key).ends == 1


def test_what_does_not_fit_is_counted_and_not_kept() -> None:
    line = Line().type(b"1234567890")
    assert line.entry.refusal == Message("tui.form.too_long", {"maximum": 8})
    assert line.kept == b"12345678"
    line.type(b"\x7f" * 2)
    assert line.entry.keys == 8
    assert line.kept == b"12345678"


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
        (Alphabet.DIGITS, b"27\x8a18", True),
        (Alphabet.DIGITS, b"27\x1b[1114112u18", True),
    ],
)
def test_a_character_that_the_field_does_not_take_is_noticed(
    alphabet: Alphabet, keys: bytes, *, is_refused: bool
) -> None:
    line = Line(alphabet).type(keys)
    assert (line.entry.refusal is not None) is is_refused


@pytest.mark.parametrize(
    "key",
    [
        *(b"\x1b[D", b"\x1bOC", b"\x1b[1;5C", b"\x1b[3~", b"\x1b[1~", b"\x1b[H"),
        *(b"\x1b[1;2D", b"\x1b[97;3u", b"\x03", b"\x1a", b"\x17", b"\x00"),
        *(b"\t", b"\x1b[Z", b"\x1b[200~27\x1b[201~"),
    ],
    ids=lambda key: repr(key)[2:-1],
)
def test_a_key_that_edits_elsewhere_or_types_nothing_refuses_the_line(
    key: bytes,
) -> None:
    line = Line().type(b"27" + key + b"1828")
    assert line.entry.refusal == Message("tui.form.not_digits", {"count": 1})
    line.type(b"\x7f" * 5)
    assert line.kept == b"27"
    assert line.entry.refusal is None


def test_what_was_typed_before_it_was_asked_for_refuses_the_line() -> None:
    line = Line()
    line.entry.come_early(2)
    line.type(b"1828")
    assert line.entry.refusal == Message("tui.form.too_early", {"count": 6})
    line.type(b"\x7f" * 6)
    assert line.entry.refusal is None


def test_it_is_wiped_when_it_is_left() -> None:
    with Line().type(b"271828").entry as entry:
        buffer = entry._buffer
        assert b"271828" in buffer
    assert not any(buffer)
    assert entry.keys == 0


def test_what_is_read_out_may_be_typed_in_groups() -> None:
    line = Line(maximum=9, ignores=" -", readable=anything).type(b"123 456-789")
    assert line.kept == b"123456789"
    assert line.entry.refusal is None
    line.type(b"\x7f" * 4 + b" 0")
    assert (line.kept, line.seen) == (b"123450", "123450")


# --- what is shown --------------------------------------------------------------------


def test_nothing_is_shown_of_a_secret_not_even_its_length() -> None:
    assert Line().type(b"271828\x7f\x7f\x15").drawn == ""


def test_what_may_be_read_is_shown_as_it_counts() -> None:
    line = Line(maximum=4, readable=anything)
    assert line.type(b"12a").seen == "12?"
    assert line.type(b"\x7f345").seen == "1234?"
    assert line.type(b"\x15").seen == ""


@pytest.mark.parametrize("keys", [b"1", b"3", b"?", b"2\x7f1", b"271828\x157\x7f"])
def test_a_choice_is_shown(keys: bytes) -> None:
    line = Line(Alphabet.PRINTABLE, 1, readable=choice_up_to(3, "?")).type(keys)
    assert line.seen == line.entry.text()


def test_of_a_secret_typed_for_a_choice_no_more_is_ever_shown_than_may_be_one() -> None:
    line = Line(Alphabet.PRINTABLE, 1, readable=choice_up_to(3, "?")).type(b"271828")
    assert line.drawn == "2\b \b" + "*" * 6
    assert line.kept == b"2"
    assert line.entry.refusal is not None
    assert "8" not in Line(readable=choice_up_to(3)).type(b"8").drawn


def test_a_choice_of_many_is_shown_while_it_may_become_one() -> None:
    line = Line(Alphabet.PRINTABLE, 2, readable=choice_up_to(12, "?"))
    assert line.type(b"12").seen == "12"
    assert line.type(b"\x7f7").seen == "**"


def test_a_key_that_is_leant_on_fills_neither_memory_nor_line() -> None:
    line = Line(Alphabet.PRINTABLE, 1, readable=choice_up_to(3)).type(b"2" * 10_000)
    assert line.entry.keys == 10_000
    assert len(line.seen) < 20
    assert len(line.entry._beyond) < 1_000
    line.type(b"\x7f" * 9_999)
    assert (line.entry.refusal, line.seen) == (None, "2")
