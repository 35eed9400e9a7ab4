"""What a terminal sends becomes the keys that were pressed, and nothing else."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.keys import _character_to_key

from kiosk.faces.keyboard.decoder import Decoder
from kiosk.faces.keyboard.names import UNREADABLE

pytestmark = pytest.mark.slow

UNREAD = [UNREADABLE]

CHARACTERS = {
    "a digit": (b"7", "7"),
    "several": (b"Ab z~", "Ab z~"),
    "UTF-8 of two, three and four bytes": ("ä€𝄞".encode(), "ä€𝄞"),
    "the keypad in application mode": (b"\x1bOp\x1bOy\x1bOn\x1bOj", "09.*"),
    "kitty": (b"\x1b[97u\x1b[49u\x1b[228u", "a1ä"),
    "kitty, Shift": (b"\x1b[97;2u\x1b[32;2u", "A "),
    "kitty, Shift and what it makes": (b"\x1b[49:33;2u", "!"),
    "kitty, Caps Lock": (b"\x1b[97;65u\x1b[97;66u\x1b[49;65u", "Aa1"),
    "kitty, Num Lock": (b"\x1b[97;129u", "a"),
    "kitty, its text": (b"\x1b[97;2;65u\x1b[55;;47u\x1b[0;;97:98u", "A/ab"),
    "kitty, the keypad": (b"\x1b[57399u\x1b[57408;129u\x1b[57413u", "09+"),
    "kitty, held": (b"\x1b[97;1:1u\x1b[97;1:2u", "aa"),
    "modifyOtherKeys": (b"\x1b[27;2;65~\x1b[27;2;33~\x1b[27;5;13~", "A!"),
    "modifyOtherKeys, the other shape": (b"\x1b[33;2u\x1b[65;2u", "!A"),
}

KEYS = {
    "enter": [b"\r", b"\x1bOM", b"\x1b[13u", b"\x1b[27;2;13~", b"\x1b[57414u"],
    "tab": [b"\t", b"\x1bOI", b"\x1b[9u"],
    "shift+tab": [b"\x1b[Z", b"\x1b\t", b"\x1b[9;2u", b"\x1b[27;2;9~", b"\x1b[1;2Z"],
    "backspace": [b"\x7f", b"\x08", b"\x1b[127u", b"\x1b[127;2u"],
    "escape": [b"\x1b[27u", b"\x1b[27;2u"],
    "up": [b"\x1b[A", b"\x1bOA", b"\x9bA", b"\x8fA", "\x9bA".encode(), b"\x1b[57419u"],
    "shift+up": [b"\x1b[1;2A", b"\x1b[a", b"\x1bO2A", b"\x1bO1;2A"],
    "ctrl+right": [b"\x1b[1;5C", b"\x1bOc"],
    "home": [b"\x1b[H", b"\x1b[1~", b"\x1b[7~", b"\x1bOH"],
    "delete": [b"\x1b[3~", b"\x1b[57426u"],
    "f2": [b"\x1bOQ", b"\x1b[12~", b"\x1b[[B", b"\x8fQ"],
    "f3": [b"\x1bOR", b"\x1b[13~", b"\x1b[[C", b"\x1b[R"],
    "f10": [b"\x1b[21~", b"\x1b[21;1~", b"\x1b[21;1:1~"],
    "shift+f11": [b"\x1b[23$", b"\x1b[23;2~"],
    "ctrl+u": [b"\x15", b"\x1b[117;5u", b"\x1b[27;5;117~", b"\x1b[117;5:2u"],
    "alt+ctrl+c": [b"\x1b[99;7u"],
}

ANSWERS = {
    "a size that nobody asked for": b"\x1b[48;24;79;9;9t\x1b[48;0;0;0;0t\x1b[8;1;1t",
    "where the cursor is": b"\x1b[24;80R\x1b[1;2R\x1b[?1;1R",
    "what the terminal is": b"\x1b[?62;22c\x1b[>0;276;0c\x1bP!|00000000\x1b\\\x1b[0n",
    "which modes it knows": b"\x1b[?2026;2$y\x1b[?2048;1$y\x1b[4;1$y\x1b[?25u",
    "focus": b"\x1b[I\x1b[O",
    "mouse": b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[M !!\x1b[32;5;6M\x1b[<65;-1;-1M",
    "colours": b"\x1b]11;rgb:0000/0000/0000\x07\x1b]4;1;rgb:ff/00/00\x1b\\",
    "capabilities": b"\x1bP1+r544e=787465726d\x1b\\\x1b_Gi=1;OK\x1b\\",
    "other strings": b"\x1b^x\x1b\\\x1bXx\x1b\\",
    "a string in 8-bit controls": b"\x9d52;c;AAAA\x07\x90x\x1b\\\x9fx\x1b\\",
    "a key that was let go": b"\x1b[97;1:3u\x1b[1;1:3A\x1b[3;1:3~",
    "modifiers alone": b"\x1b[57441u\x1b[57447;2u\x1b[57358;65u",
    "the keypad's 5": b"\x1b[E\x1bOE\x1b[G",
    "the end of no paste": b"\x1b[201~",
}

SEQUENCES = [
    data
    for data, keys in ANSI_SEQUENCES_KEYS.items()
    if isinstance(keys, tuple)
    and keys[0].value in {*KEYS, "down", "left", "right", "end", "insert", "pageup"}
    and keys[0].value != "escape"
    and data not in ("\x1b[~", "\x1bf", "\x1b[5C")  # to us no key, and Esc and f
]
"""Of Textual's own list, those that stand for keys that the kiosk's screens know."""

UNREADABLES = {
    "no such character": b"\x1b[1114112u",
    "a number beyond every size": b"\x1b[" + b"9" * 5000 + b"u",
    "a surrogate": b"\x1b[55296u",
    "no number": b"\x1b[u",
    "signs among the numbers": b"\x1b[1-2u",
    "too many modifiers": b"\x1b[97;257u",
    "no such key": b"\x1b[99~",
    "no such end": b"\x1b[5A",
    "a lone continuation of UTF-8": b"\xa9",
    "a byte of no UTF-8": b"\xff",
    "an 8-bit control that begins nothing": b"\x81",
    "a character that cannot be seen": "\u200b".encode(),
    "Shift and a key of a layout that nobody knows": b"\x1b[49;2u",
    "Alt and a character": b"\x1b[49;3u",
    "text that is none": b"\x1b[97;;55296u",
}


def pressed(data: bytes) -> list[str]:
    """Everything that comes of these bytes and a pause after them."""
    decoder = Decoder()
    keys = decoder.feed(data) + decoder.pause()
    assert decoder.patience is None
    return [key.character or key.name for key in keys]


def named(cases: Mapping[str, object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=list(cases))


@named(CHARACTERS)
def test_characters_are_what_was_typed(case: tuple[bytes, str]) -> None:
    data, text = case
    assert [key for key in pressed(data) if len(key) == 1] == list(text)


@pytest.mark.parametrize(
    ("data", "name"), [(data, name) for name, all_ in KEYS.items() for data in all_]
)
def test_a_key_is_the_same_from_every_terminal(data: bytes, name: str) -> None:
    assert pressed(data) == [name]


@named(ANSWERS)
def test_what_nobody_asked_for_is_nothing(case: bytes) -> None:
    assert pressed(case) == []


@named(UNREADABLES)
def test_what_may_have_been_typed_is_not_left_out(case: bytes) -> None:
    assert set(pressed(case)) == set(UNREAD)


def test_escape_is_a_key_when_nothing_follows() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.patience is not None
    assert [key.name for key in decoder.pause()] == ["escape"]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b1", ["escape", "1"]),
        (b"\x1b\r", ["escape", "enter"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1b\x1b\x1b", ["escape"] * 3),
    ],
)
def test_keys_after_escape_are_keys_in_their_order(
    data: bytes, keys: list[str]
) -> None:
    assert pressed(data) == keys


@pytest.mark.parametrize(
    "begun",
    [
        *(b"\x1b[", b"\x1b[1114112", b"\x1b[[", b"\x1bO", b"\x1b]0;x", b"\x1bPx\x1b"),
        *(b"\x9b1", b"\x1b_x", b"\x1b[M!", b"\x1b[200~1234\r"),
        *(b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"),
    ],
)
def test_a_sequence_that_is_not_ended_is_given_up_after_a_while(begun: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(begun) == []
    assert decoder.patience is not None
    assert [key.character for key in decoder.pause()] == UNREAD
    assert [key.character for key in decoder.feed(b"7")] == ["7"]


@pytest.mark.parametrize("begun", [b"\x1b[1;2", b"\x1bO", b"\x1b]0;x", b"\x1b[M!"])
def test_enter_is_never_swallowed_by_a_sequence(begun: bytes) -> None:
    assert pressed(begun + b"\r") == [UNREADABLE, "enter"]


def test_broken_text_does_not_take_the_next_character_with_it() -> None:
    assert pressed(b"\xe4" + b"1\xf0\x9d1\xc3\r") == [
        *(UNREADABLE, "1", UNREADABLE, "1", UNREADABLE, "enter")
    ]


def test_a_paste_is_told_and_not_kept() -> None:
    assert pressed(b"1\x1b[200~846257\r\x1b[20\x1b[201~2") == ["1", "paste", "2"]


@pytest.mark.parametrize("data", [*map(chr, range(0x20, 0x7F)), *"äß€", *SEQUENCES])
def test_keys_are_called_as_textual_calls_them(data: str) -> None:
    theirs = [each.key for each in XTermParser().feed(data)]  # type: ignore[attr-defined]  # all are keys
    ours = [
        _character_to_key(key) if len(key) == 1 else key
        for key in pressed(data.encode())
    ]
    assert ours == theirs


PIECES = st.sampled_from(
    [
        *(b"\x1b", b"[", b"]", b"O", b"P", b"_", b";", b":", b"?", b"<", b"$", b"~"),
        *(b"u", b"M", b"R", b"t", b"200~", b"201~", b"27;", b"1114112", b"9" * 50),
        *(b"\x07", b"\\", b"\x18", b"\r", b"7", b"\x9b", b"\xc3", b"\xf4\x90", b"\xff"),
    ]
)
BYTES = st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join)


@given(BYTES)
@example(b"\x1b[1114112u")
def test_nothing_raises_and_every_key_is_known(data: bytes) -> None:
    for key in pressed(data):
        assert key.isprintable()
        assert key


@given(BYTES, st.lists(st.integers(0, 80)))
def test_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    keys = []
    for begin, end in itertools.pairwise(bounds):
        keys += decoder.feed(data[begin:end])
    keys += decoder.pause()
    assert [key.character or key.name for key in keys] == pressed(data)


@pytest.mark.parametrize(
    "begun", [b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b[200~", b"\x1bO"]
)
def test_what_never_ends_is_not_kept(begun: bytes) -> None:
    decoder = Decoder()
    decoder.feed(begun)
    decoder.feed(b"1" * 100_000)
    assert sum(sys.getsizeof(it) for it in vars(decoder).values()) < 2_000


def test_a_sequence_is_wiped_when_it_ends() -> None:
    decoder = Decoder()
    decoder.feed(b"\x1b[49")
    parameters = decoder._parameters
    view = memoryview(parameters)
    assert bytes(view) == b"49"
    del view
    decoder.feed(b"u")
    assert not parameters
