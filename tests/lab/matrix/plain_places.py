"""Every question of the plain kiosk, as places."""

from __future__ import annotations

from collections.abc import Callable

from lab.matrix.place import DIGITS, Place
from lab.matrix.visitor import Visitor

ENGLISH, FIRST = b"1\r", b"1\r"
"""The language, and the first thing that may be done."""
OLD, NEW = b"271828\r", b"314159\r"


def plain_with(situation: str, *typed: bytes) -> Callable[[Visitor], None]:
    """Somebody comes with that card and types this, line by line."""

    def arrive(visitor: Visitor) -> None:
        visitor.ask("anew")
        visitor.settle()
        visitor.ask("insert", situation=situation)
        visitor.settle()
        visitor.type(*typed)

    return arrive


def plain_places() -> list[Place]:
    """Return every question, each in one situation."""
    home = plain_with("everyday", ENGLISH)
    return [
        _place("nobody there", _nobody),
        _place("language", plain_with("everyday")),
        _place("home", home),
        _place("home, nothing possible", plain_with("stranger", ENGLISH)),
        _place("confirm", plain_with("administrator", ENGLISH, FIRST)),
        _place("PIN until now", plain_with("everyday", ENGLISH, FIRST)),
        *(
            _place(f"{name}, typed", plain_with(it, ENGLISH, FIRST, *typed), DIGITS)
            for name, it, typed in (
                ("PIN until now", "everyday", (DIGITS,)),
                ("PIN of the letter", "first day", (DIGITS,)),
                ("PIN to finish with", "out of step", (DIGITS,)),
                ("PUK", "by puk", (DIGITS,)),
                ("new PIN", "everyday", (OLD, DIGITS)),
                ("new PIN again", "everyday", (OLD, NEW, DIGITS)),
                ("letters", "printable", (DIGITS,)),
            )
        ),
        _place("release code", plain_with("blocked", ENGLISH, FIRST)),
        _place("activation code", plain_with("by code", ENGLISH, FIRST)),
        _place("answer", plain_with("by telephone", ENGLISH, FIRST)),
        _place("how it ended", plain_with("everyday", ENGLISH, FIRST, OLD, NEW, NEW)),
        _place("under way", _under_way),
        _place("recognising", _recognising),
        _place("two cards", _two),
    ]


def _place(name: str, arrive: Callable[[Visitor], None], secret: bytes = b"") -> Place:
    return Place(
        name=f"plain: {name}", face="plain", shows="plain", arrive=arrive, secret=secret
    )


def _nobody(visitor: Visitor) -> None:
    visitor.ask("anew")


def _under_way(visitor: Visitor) -> None:
    plain_with("everyday", ENGLISH, FIRST, OLD, NEW)(visitor)
    visitor.ask("hold")
    visitor.type(NEW)


def _recognising(visitor: Visitor) -> None:
    plain_with("everyday")(visitor)
    visitor.ask("hold")
    visitor.type(ENGLISH)


def _two(visitor: Visitor) -> None:
    visitor.ask("anew")
    visitor.ask("insert", situation="everyday")
    visitor.ask("insert", situation="stranger", reader="Second reader")
