"""Bytes as a terminal, or whoever pretends to be one, may send them, and their judge.

One table for two ways to try it: a seeded generator of escape sequences and a search
led by coverage (`scripts/fuzz.py`).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator

from kiosk.faces.keyboard.decoder import Decoder
from kiosk.faces.keyboard.names import CODES, CONTROLS, LETTERS, NUMBERS, Key
from kiosk.pin.alphabet import Alphabet
from kiosk.plain.entry import MARK, LineEntry, choice_up_to
from lab.cards.card_parsers import Misread, Parser

MOST_KEPT = 4_000
"""Bytes of memory that a decoder may have, whatever it was sent."""
_SINGLE = {*LETTERS.values(), *NUMBERS.values(), *CODES.values(), *CONTROLS.values()}
_NAMES = _SINGLE | {"escape", "paste"}
_BEGINNINGS = (b"\x1b[", b"\x1bO", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX")
_EIGHT_BIT = (b"\x9b", b"\x8f", b"\x9d", b"\x90", b"\x9f", b"\x9e", b"\x98")
_ENDINGS = b"ABCDEFGHIJMPQRSTZabcdmnpqrstuvwxy~^$@\\"
_NUMBERS = (0, 1, 2, 5, 27, 48, 49, 97, 127, 200, 201, 256, 257, 2026, 57399, 57441)
_DIGITS = ("", *"0123456789")
_STRANGE = (55296, 65535, 1114111, 1114112, 4294967296, 10**30)


def generated(seed: int, size: int) -> bytes:
    """Return about so many bytes of sequences, whole, cut, nested and wrong."""
    chance = random.Random(seed)
    pieces: list[bytes] = []
    length = 0
    while length < size:
        pieces.append(_piece(chance))
        length += len(pieces[-1])
    return b"".join(pieces)


def _piece(chance: random.Random) -> bytes:
    match chance.randrange(8):
        case 0:
            return bytes([chance.randrange(0x20, 0x7F)])
        case 1:
            return chr(chance.choice((0xE4, 0x20AC, 0x1D11E, 0x200B, 0xFFFD))).encode()
        case 2:
            return chance.randbytes(chance.randrange(1, 6))
        case 3:
            return bytes([chance.randrange(0x20)])
        case 4:
            body = chance.randbytes(chance.randrange(20))
            return chance.choice(_BEGINNINGS[2:]) + body + chance.choice((b"\x07", b""))
        case 5:
            paste = bytes(chance.choices(b"0123\r\x1b[~", k=chance.randrange(12)))
            end = b"\x1b[201~" if chance.random() < 0.99 else b""
            return b"\x1b[200~" + paste + end
        case _:
            return _sequence(chance)


def _sequence(chance: random.Random) -> bytes:
    begin = chance.choice((*_BEGINNINGS[:2], *_EIGHT_BIT[:2], b"\x1b[?", b"\x1b[<"))
    numbers = [
        str(chance.choice(_NUMBERS if chance.random() < 0.9 else _STRANGE))
        for _ in range(chance.randrange(5))
    ]
    parameters = "".join(number + chance.choice(";;:") for number in numbers)
    end = bytes([chance.choice(_ENDINGS)]) if chance.random() < 0.9 else b""
    return begin + parameters[:-1].encode() + end


def read(data: bytes) -> object:
    """Decode; Misread: a key that is none, or a state that another piece would see."""
    whole = _decoded([data])
    if whole != _decoded(_cut(data)):
        raise Misread("pieces make a difference")
    if data.isascii() and b"\x1b" not in data and len(whole) != len(data):
        raise Misread("a key was left out or made up")
    return whole


def _cut(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        step = 1 + data[at] % 7
        yield data[at : at + step]
        at += step


def _decoded(pieces: Iterable[bytes]) -> list[Key]:
    decoder = Decoder()
    keys = [key for piece in pieces for key in decoder.feed(piece)]
    keys += decoder.pause()
    for key in keys:
        if not _is_known(key):
            raise Misread(f"no such key: {key}")
    kept = sum(sys.getsizeof(each) for each in vars(decoder).values())
    if decoder.patience is not None or decoder._parameters or kept > MOST_KEPT:
        raise Misread("something is kept")
    if decoder.feed(b"\r")[-1:] != [Key("enter")]:
        raise Misread("Enter is no key any more")
    return keys


def _is_known(key: Key) -> bool:
    if key.character is not None:
        return len(key.character) == 1 and key.character.isprintable()
    *modifiers, name = key.name.split("+") if key.name != "ctrl++" else ("ctrl", "+")
    is_name = name in _NAMES or name[:1] == "f" or len(name) <= 1 or name == "space"
    return bool(modifiers) or (is_name and len(name) > 1) or key.name in _NAMES


def read_lines(data: bytes) -> object:
    """Let plain's entry take it; Misread: it keeps or shows more than it may."""
    entries = 0
    decoder = Decoder()
    with LineEntry(Alphabet.DIGITS, 1, readable=choice_up_to(3)) as entry:
        for key in [*decoder.feed(data), *decoder.pause()]:
            is_done = entry.take(key)
            entry.echo()
            if not {*entry._drawn} <= {MARK} and entry._drawn not in tuple("123"):
                raise Misread("what is no choice is shown")
            if entry.keys and not entry._drawn:
                raise Misread("a key was taken, and nothing shows it")
            if is_done and entry.refusal is None and entry.text() not in _DIGITS:
                raise Misread("what is no digit is taken")
            if is_done:
                entries += 1
                entry.wipe()
        if sys.getsizeof(entry._beyond) > MOST_KEPT:
            raise Misread("it keeps what it cannot use")
    return entries


def _seeds() -> Iterable[bytes]:
    return [generated(seed, 60) for seed in range(40)]


PARSERS = {
    "keyboard": Parser(read, _seeds, longest=400),
    "line": Parser(read_lines, _seeds, longest=400),
}
