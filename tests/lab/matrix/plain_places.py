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
    asked = [
        ("language", "_choose_language", plain_with("everyday")),
        ("home", "_at_home", plain_with("everyday", ENGLISH)),
        ("confirm", "_confirm", plain_with("administrator", ENGLISH, FIRST)),
        ("PIN until now", "old_pin", plain_with("everyday", ENGLISH, FIRST)),
        ("release code", "release_code", plain_with("blocked", ENGLISH, FIRST)),
        ("activation code", "activation_code", plain_with("by code", ENGLISH, FIRST)),
        ("answer", "admin_response", plain_with("by telephone", ENGLISH, FIRST)),
        (
            "how it ended",
            "_after",
            plain_with("everyday", ENGLISH, FIRST, OLD, NEW, NEW),
        ),
    ]
    half_typed = [
        ("PIN until now", "old_pin", "everyday", ()),
        ("PIN of the letter", "transport_pin", "first day", ()),
        ("PIN to finish with", "current_pin", "out of step", ()),
        ("PUK", "puk", "by puk", ()),
        ("new PIN", "new_pin", "everyday", (OLD,)),
        ("new PIN again", "new_pin", "everyday", (OLD, NEW)),
        ("letters", "old_pin", "printable", ()),
    ]
    return [
        *(_place(name, arrive, asks=asks) for name, asks, arrive in asked),
        *(
            _place(
                f"{name}, typed",
                plain_with(situation, ENGLISH, FIRST, *typed, DIGITS),
                DIGITS,
                asks=asks,
            )
            for name, asks, situation, typed in half_typed
        ),
        *(
            _place(
                f"secret for a choice, {name}",
                plain_with("everyday", *typed, DIGITS),
                DIGITS,
                asks=asks,
            )
            for name, asks, typed in (
                ("language", "_choose_language", ()),
                ("home", "_at_home", (ENGLISH,)),
            )
        ),
        _place("nobody there", _nobody),
        _place("home, nothing possible", plain_with("stranger", ENGLISH)),
        _place("under way", _under_way),
        _place("recognising", _recognising),
        _place("two cards", _two),
    ]


def _place(
    name: str,
    arrive: Callable[[Visitor], None],
    secret: bytes = b"",
    *,
    asks: str = "",
) -> Place:
    """`asks`: the function that asks for a choice, or the field that is asked for."""
    return Place(
        name=f"plain: {name}",
        face="plain",
        shows=f"plain {asks}".strip(),
        arrive=arrive,
        secret=secret,
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
