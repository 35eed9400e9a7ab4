"""Every key and chord a terminal may send, in each of the ways terminals send them.

`text` is what the person meant to type; empty where the key types nothing. What is
no key at all (reports nobody asked for, broken sequences) is here, too: it comes in
by the same door.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

ESC, CSI, SS3 = b"\x1b", b"\x1b[", b"\x1bO"
CSI_8, SS3_8 = b"\x9b", b"\x8f"
"""The same in one byte (C1), as terminals in 8-bit mode send them."""
ENTER, TAB, ESCAPE, BACKSPACE = b"\r", b"\t", b"\x1b", b"\x7f"
F1, F2, F3 = b"\x1bOP", b"\x1bOQ", b"\x1bOR"

_CURSOR = {"up": b"A", "down": b"B", "right": b"C", "left": b"D"}
_CURSOR |= {"begin": b"E", "end": b"F", "home": b"H"}
_TILDE = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "home": 1, "end": 4}
_FUNCTION = dict(
    zip(
        range(1, 21),
        (
            *range(11, 16),
            *range(17, 22),
            *range(23, 27),
            *range(28, 30),
            *range(31, 35),
        ),
        strict=True,
    )
)
_MODIFIERS = {
    2: "shift",
    3: "alt",
    5: "ctrl",
    6: "ctrl+shift",
    7: "ctrl+alt",
    9: "super",
}
_NAMED = {"enter": 13, "tab": 9, "escape": 27, "backspace": 127, "space": 32}
_WIDE = "üß€中\u0301😀"
_SPELLED = "aZ5-~"
"""Characters that are sent in every way there is."""


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can come from a terminal."""

    name: str
    data: bytes
    text: str = ""
    """What the person meant to type."""

    @property
    def is_enter(self) -> bool:
        """It may confirm: a line feed is Enter, and Ctrl+J is a line feed."""
        return "enter" in self.name or self.name.startswith("ctrl+j ")

    @property
    def leaves_field(self) -> bool:
        """It may go to another field or list: what follows is typed there."""
        return self.name.split()[0].split("+")[-1] in ("tab", "up", "down")

    @property
    def is_own_key(self) -> bool:
        """It may be the key of a page's action."""
        return self.name.startswith("f2 ")

    @property
    def shows(self) -> bool:
        """It shows what was typed into a form, on purpose."""
        return self.name.startswith("f3 ")


@lru_cache
def keys() -> tuple[Key, ...]:
    """Return all of them, each sequence once."""
    known: dict[bytes, Key] = {}
    for source in (
        _characters,
        _controls,
        _named,
        _functional,
        _kitty,
        _reports,
        _junk,
    ):
        for key in source():
            known.setdefault(key.data, key)
    return tuple(sorted(known.values(), key=lambda key: not key.text))


def _characters() -> Iterator[Key]:
    for code in range(0x20, 0x7F):
        yield Key(f"{chr(code)!r} as such", bytes((code,)), chr(code))
    for character in _WIDE:
        yield Key(f"{character!r} as such", character.encode(), character)
    for character in (*_SPELLED, *_WIDE):
        code = ord(character)
        for ending in (b"", b";1", b";1:1", b";1:2", b";1;%d" % code):
            yield Key(
                f"{character!r} kitty {ending!r}",
                CSI + b"%d%su" % (code, ending),
                character,
            )
        yield Key(f"{character!r} modifyOtherKeys", CSI + b"27;1;%d~" % code, character)
        yield Key(f"{character!r} released", CSI + b"%d;1:3u" % code)
    yield Key("'A' kitty with shift", CSI + b"97:65;2u", "A")
    yield Key("'A' kitty with text", CSI + b"97;2;65u", "A")
    for character in "a[O1c":
        yield Key(f"alt+{character}", ESC + character.encode())
        yield Key(f"alt+{character} kitty", CSI + b"%d;3u" % ord(character))


def _controls() -> Iterator[Key]:
    for code in range(0x20):
        names = {8: "backspace", 9: "tab", 10: "enter", 13: "enter", 27: "escape"}
        yield Key(
            f"{names.get(code, f'ctrl+{chr(code + 64)}')} as such", bytes((code,))
        )
    yield Key("backspace as DEL", BACKSPACE)
    for letter in b"abcdefghijklmnopqrstuvwxyz":
        yield Key(f"ctrl+{chr(letter)} kitty", CSI + b"%d;5u" % letter)
    for letter in b"cqpuz":
        yield Key(f"ctrl+{chr(letter)} modifyOtherKeys", CSI + b"27;5;%d~" % letter)


def _named() -> Iterator[Key]:
    for name, code in _NAMED.items():
        text = " " if name == "space" else ""
        yield Key(f"{name} kitty", CSI + b"%du" % code, text)
        yield Key(f"{name} kitty repeated", CSI + b"%d;1:2u" % code, text)
        yield Key(f"{name} released", CSI + b"%d;1:3u" % code)
        for number, modifier in _MODIFIERS.items():
            held = text if modifier == "shift" else ""
            yield Key(
                f"{modifier}+{name} kitty", CSI + b"%d;%du" % (code, number), held
            )
        yield Key(f"{name} modifyOtherKeys", CSI + b"27;1;%d~" % code, text)
        yield Key(f"ctrl+{name} modifyOtherKeys", CSI + b"27;5;%d~" % code)
    for name, data in {
        "enter": ENTER,
        "tab": TAB,
        "escape": ESC,
        "backspace": BACKSPACE,
    }.items():
        yield Key(f"alt+{name} as such", ESC + data)
    yield Key("shift+tab", CSI + b"Z")


def _functional() -> Iterator[Key]:
    for name, final in _CURSOR.items():
        yield Key(f"{name} as such", CSI + final)
        yield Key(f"{name} application mode", SS3 + final)
        yield Key(f"{name} 8-bit", CSI_8 + final)
        yield Key(f"{name} 8-bit application mode", SS3_8 + final)
        for number, modifier in _MODIFIERS.items():
            yield Key(f"{modifier}+{name}", CSI + b"1;%d%s" % (number, final))
    for name, number in _TILDE.items():
        yield from _tilde(name, number)
    for at, number in _FUNCTION.items():
        yield from _tilde(f"f{at} by number", number)
    for at, letter in enumerate(b"PQRS", 1):
        yield Key(f"f{at} as such", SS3 + bytes((letter,)))
        yield Key(f"f{at} 8-bit", SS3_8 + bytes((letter,)))
        yield Key(f"shift+f{at}", CSI + b"1;2%c" % letter)
        yield Key(f"f{at} kitty", CSI + b"%c" % letter)
    for at, letter in enumerate(b"ABCDE", 1):
        yield Key(f"f{at} linux", CSI + b"[%c" % letter)
    yield Key("keypad enter", SS3 + b"M")
    for letter in b"jklmnopqrstuvwxyX":
        yield Key(f"keypad {letter:c}", SS3 + bytes((letter,)), _on_keypad(letter))


def _tilde(name: str, number: int) -> Iterator[Key]:
    yield Key(f"{name} ", CSI + b"%d~" % number)
    yield Key(f"shift+{name}", CSI + b"%d;2~" % number)
    yield Key(f"ctrl+{name}", CSI + b"%d;5~" % number)
    yield Key(f"{name} 8-bit", CSI_8 + b"%d~" % number)
    if not name.startswith("f"):
        yield Key(f"shift+{name} rxvt", CSI + b"%d$" % number)
        yield Key(f"ctrl+{name} rxvt", CSI + b"%d^" % number)


def _on_keypad(final: int) -> str:
    """What an application keypad's key types (VT220: digits are p to y)."""
    return "*+,-./0123456789"[final - 0x6A] if 0x6A <= final <= 0x79 else "="


def _kitty() -> Iterator[Key]:
    digits = {57399 + number: str(number) for number in range(10)}
    keypad = digits | {
        57409: ".",
        57410: "/",
        57411: "*",
        57412: "-",
        57413: "+",
        57415: "=",
        57416: ",",
    }
    for code in range(57344, 57455):
        name = "keypad enter kitty" if code == 57414 else f"functional {code}"
        yield Key(name, CSI + b"%du" % code, keypad.get(code, ""))


def _reports() -> Iterator[Key]:
    for name, data in {
        "focus gained": b"I",
        "focus lost": b"O",
        "cursor position": b"24;80R",
        "device attributes": b"?62;1;2c",
        "secondary attributes": b">0;10;1c",
        "terminal status": b"0n",
        "kitty flags": b"?1u",
        "mode report, synchronised output": b"?2026;2$y",
        "mode report, size in band": b"?2048;2$y",
        "mode report, size in band, on": b"?2048;1$y",
        "size in band": b"48;24;80;480;800t",
        "size in band, impossible": b"48;24;79;9;9t",
        "size in band, nothing": b"48;0;0;0;0t",
        "size in band, huge": b"48;200;200;9;9t",
        "size asked for": b"8;24;80t",
        "mouse pressed": b"<0;10;10M",
        "mouse released": b"<0;10;10m",
        "mouse wheel": b"<65;10;10M",
        "mouse, old": b"M   ",
        "pasted": b"200~73\r\x1b[201~",
        "pasted, empty": b"200~\x1b[201~",
        "paste that ends only": b"201~",
    }.items():
        yield Key(f"report: {name}", CSI + data)
    yield Key("report: colour", b"\x1b]11;rgb:0000/0000/0000\x1b\\")
    yield Key("report: clipboard", b"\x1b]52;c;NzM5\x07")
    yield Key("report: version", b"\x1bP>|term 1\x1b\\")


def _junk() -> Iterator[Key]:
    for number in (1114112, 55296, 57343, 0, 2**31, 2**64, 10**40):
        yield Key(f"junk: character {number:.0e}", CSI + b"%du" % number)
    for data in (
        b"\x00",
        b"\xff",
        b"\xfe\xff",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\x80",
        b"\x9b",
        b"\x9d0;x\x9c",
        b"\x1b\x1b",
        b"\x1b[",
        b"\x1b[1",
        b"\x1bO",
        b"\x1b]0;x",
        b"\x1b[;u",
        b"\x1b[;;;;;;u",
        b"\x1b[97;999999999999u",
        b"\x1b[97;1;1114112u",
        b"\x1b[27;99999;99999999~",
        b"\x1b[-1u",
        b"\x1b[99999999999R",
        b"\x1b[1;1;1;1;1;1R",
        b"\x1b[<999999999999;1;1M",
        b"\x1b[<0;-5;-5M",
        b"\x1b[?2048;9$y",
        b"\x1b[48;9;9t",
        b"\x1b[48;99999;99999;1;1t",
        b"\x1b[\x00\x01",
        b"\x1b[[",
        b"\x1b[" + b"1;" * 60 + b"u",
        b"\x1bN",
        b"\x1b^x\x1b\\",
        b"\x1b_x\x1b\\",
        b"\x1bX",
        b"\x1bc",
        b"\x1b[!p",
        b"\x1b[0x",
    ):
        yield Key(f"junk: {data[:24]!r}", data)
