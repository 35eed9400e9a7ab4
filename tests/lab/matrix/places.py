"""Where a key can be pressed: every screen of the kiosk, every page of the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lab.matrix import kiosk_worlds
from lab.matrix.desk_places import desk_places
from lab.matrix.keys import ENTER, ESCAPE, F3
from lab.matrix.place import DIGITS, Place
from lab.matrix.plain_places import plain_places
from lab.matrix.visitor import Visitor

OLD, NEW = b"271828\r", b"314159\r"


@lru_cache
def places() -> tuple[Place, ...]:
    """Return every place there is."""
    return (*_kiosk(), *desk_places(), *plain_places())


# --- the kiosk --------------------------------------------------------------------


def _anew(visitor: Visitor) -> None:
    """Nobody is there, in a new world; the last word of the one before is read."""
    visitor.ask("anew")
    if visitor.settle() in ("ResultScreen", "MessageScreen unsent"):
        visitor.type(ESCAPE)


def kiosk_with(situation: str, *typed: bytes) -> Callable[[Visitor], None]:
    """Somebody comes with that card and types this."""

    def arrive(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("insert", situation=situation)
        visitor.settle()
        visitor.type(*typed)

    return arrive


def _held(situation: str, *typed: bytes) -> Callable[[Visitor], None]:
    """Stop in the middle: the card worker does not go on."""

    def arrive(visitor: Visitor) -> None:
        _anew(visitor)
        if not typed:
            visitor.ask("hold")
        visitor.ask("insert", situation=situation)
        visitor.settle()
        visitor.type(*typed[:-1])
        visitor.ask("hold")
        visitor.type(*typed[-1:])

    return arrive


def _kiosk() -> list[Place]:
    places = [_idle()]
    for situation in kiosk_worlds.SITUATIONS:
        is_known = situation != "stranger"
        shows = "HomeScreen" if is_known else "MessageScreen unknown_card"
        places.append(_kiosk_place(f"home, {situation}", shows, kiosk_with(situation)))
    places += [*_confirms(), *_forms(), *_moments(), *_results(), *_messages()]
    return places


def _kiosk_place(
    name: str, shows: str, arrive: Callable[[Visitor], None], **more: Any
) -> Place:
    return Place(
        name=f"kiosk: {name}", face="kiosk", shows=shows, arrive=arrive, **more
    )


def _idle() -> Place:
    return _kiosk_place("idle", "IdleScreen", _anew)


def _confirms() -> list[Place]:
    return [
        _kiosk_place(f"confirm, {it}", "ConfirmScreen", kiosk_with(it, ENTER))
        for it in ("administrator", "elsewhere")
    ]


def _forms() -> list[Place]:
    first = {
        "everyday": (),
        "first day": (),
        "out of step": (),
        "by puk": (),
        "printable": (),
        "administrator": (b"1",),
    }
    shown = ("by code", "blocked", "by telephone")  # codes are shown as typed
    forms = [_form(it, it, more, DIGITS) for it, more in first.items()]
    forms += [_form(it, it, (), b"") for it in shown]
    forms += [
        _form("everyday, new", "everyday", (OLD,), DIGITS),
        _form("everyday, again", "everyday", (OLD, NEW), DIGITS),
        _form("everyday, empty", "everyday", (), b""),
        _form("everyday, shown", "everyday", (F3, DIGITS), b""),
    ]
    return forms


def _form(name: str, situation: str, before: tuple[bytes, ...], secret: bytes) -> Place:
    """A form filled up to what is secret; `before` may begin on the way to it."""
    on_the_way = (b"1",) if before == (b"1",) else ()
    typed = (*before[len(on_the_way) :], *((secret,) if secret else ()))

    def again(visitor: Visitor) -> None:
        visitor.type(*typed)

    def arrive(visitor: Visitor) -> None:
        kiosk_with(situation, ENTER, *on_the_way)(visitor)
        again(visitor)

    return _kiosk_place(
        f"form, {name}",
        "FormScreen",
        arrive,
        secret=secret,
        can_be_shown=True,
        again=again,
    )


def _moments() -> list[Place]:
    return [
        _kiosk_place("recognising", "MessageScreen recognising", _held("everyday")),
        _kiosk_place("form on its way", "HomeScreen", _held("everyday", ENTER)),
        _kiosk_place(
            "progress", "ProgressScreen", _held("everyday", ENTER, OLD, NEW, NEW)
        ),
    ]


def _results() -> list[Place]:
    change = (ENTER, OLD, NEW, NEW)
    wrong = (ENTER, b"000111\r", NEW, NEW)
    ends = {
        "done": kiosk_with("everyday", *change),
        "refused": kiosk_with("everyday", *wrong),
        "card only": kiosk_with("administrator", ENTER, b"1", b"223606\r", NEW, NEW),
        "out of step": _failing("answer lost"),
        "rolled back": _failing("refused"),
    }
    places = [
        _kiosk_place(f"result, {name}", "ResultScreen", it) for name, it in ends.items()
    ]
    places.append(_kiosk_place("result, card gone", "ResultScreen", _pulled(*change)))
    return places


def _failing(fault: str) -> Callable[[Visitor], None]:
    def arrive(visitor: Visitor) -> None:
        kiosk_with("everyday", ENTER, OLD, NEW)(visitor)
        visitor.ask("spoil", fault=fault)
        visitor.type(NEW)

    return arrive


def _pulled(*typed: bytes) -> Callable[[Visitor], None]:
    def arrive(visitor: Visitor) -> None:
        kiosk_with("everyday", *typed)(visitor)
        visitor.ask("pull")
        visitor.settle()

    return arrive


def _messages() -> list[Place]:
    def two(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("insert", situation="everyday")
        visitor.ask("insert", situation="stranger", reader="Second reader")

    def wrongly(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("insert_wrongly")

    def missing(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("fail")

    def trouble(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("trouble")
        visitor.ask("insert", situation="everyday")

    def asked(visitor: Visitor) -> None:
        kiosk_with("everyday")(visitor)
        while visitor.settle() != "IdleWarningScreen":
            pass

    def forgotten(visitor: Visitor) -> None:
        _anew(visitor)
        visitor.ask("insert", situation="everyday")
        while visitor.settle() != "MessageScreen forgotten":
            pass

    return [
        _kiosk_place("unsent", "MessageScreen unsent", _pulled(ENTER, b"2718")),
        _kiosk_place("trouble", "MessageScreen trouble", trouble),
        _kiosk_place("two cards", "MessageScreen two_cards", two),
        _kiosk_place("unreadable", "MessageScreen unreadable", wrongly),
        _kiosk_place("out of service", "MessageScreen out_of_service", missing),
        _kiosk_place("are you there", "IdleWarningScreen", asked, manner="asking"),
        _kiosk_place(
            "forgotten", "MessageScreen forgotten", forgotten, manner="leaving"
        ),
    ]
