"""What was typed, and what was used: every field that something comes of.

A key is pressed in the middle of a right value. What is used afterwards, on the card,
in the directory or in the evidence, is what the person typed, or nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.matrix.cells import Pool, press
from lab.matrix.desk_places import desk_page
from lab.matrix.keys import ENTER, Key
from lab.matrix.oracle import TIMES, Rhythm
from lab.matrix.place import Place
from lab.matrix.places import NEW, OLD, kiosk_with
from lab.matrix.visitor import Visitor

CLEAR = b"\x15"
"""Ctrl+U: what a text field has is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field on its screen, its right value, and what shows what was used."""

    name: str
    place: Place
    value: Callable[[Visitor], str]
    finish: Callable[[Visitor, bytes], None]
    """Confirm, and fill in the rest; it is told what was typed."""
    used: Callable[[Visitor, str], str | None]
    """What was used, if anything happened; it is told the right value."""
    takes_all: bool = False
    """Every character may be of its value: a wrong one costs its try."""


def fields() -> tuple[Field, ...]:
    """Return every field whose value counts."""
    return (
        _kiosk("new PIN", "everyday", (OLD,), "314159", _twice, _card("everyday")),
        _kiosk(
            "new PIN, letters",
            "printable",
            (b"Blue-Sky7\r",),
            "Green-Sky7",
            _twice,
            _card("printable"),
        ),
        _kiosk("PIN until now", "everyday", (), "271828", _rest, _done),
        _kiosk("PIN of the letter", "first day", (), "482915", _rest, _done),
        _kiosk("PIN to finish with", "out of step", (), "173205", _confirm, _done),
        _kiosk("PUK", "by puk", (), "48151623", _rest, _done),
        _code("release code", "blocked", "release"),
        _code("activation code", "by code", "activation"),
        _desk("operator's PIN", "sign in, card", 0, "271828", _signed_in),
        _desk(
            "operator's password",
            "sign in, account",
            1,
            "Operator-2026",
            _signed_in,
            before=b"hanna",
            takes_all=True,
        ),
        _desk("reason", "suspend", 0, "lost", _reason),
    )


# --- the kiosk ----------------------------------------------------------------------


def _kiosk(
    name: str,
    situation: str,
    before: tuple[bytes, ...],
    value: str,
    finish: Callable[[Visitor, bytes], None],
    used: Callable[[Visitor, str], str | None],
) -> Field:
    place = Place(
        name=f"kiosk: {name}",
        face="kiosk",
        shows="FormScreen",
        arrive=kiosk_with(situation, ENTER, *before),
    )
    return Field(
        name=name, place=place, value=lambda _: value, finish=finish, used=used
    )


def _code(name: str, situation: str, kind: str) -> Field:
    def value(visitor: Visitor) -> str:
        return str(visitor.ask("code", name=situation, kind=kind)["code"])

    field = _kiosk(name, situation, (), "", _rest, _done)
    return Field(name=name, place=field.place, value=value, finish=_rest, used=_done)


def _twice(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER, typed, ENTER)


def _rest(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER, NEW, NEW)


def _confirm(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER)


def _card(name: str) -> Callable[[Visitor, str], str | None]:
    """The PIN of the card, if it is another one; the directory has the same."""

    def used(visitor: Visitor, right: str) -> str | None:
        facts = visitor.facts()
        pin = str(facts["cards"][name][0])
        if not facts["writes"]:
            return None
        if not visitor.ask("knows", name=name, password=pin)["knows"]:
            return f"{pin} on the card, something else in the directory"
        return pin

    return used


def _done(visitor: Visitor, right: str) -> str | None:
    """The right value, if the operation was done: nothing else opens the card."""
    return right if visitor.facts()["writes"] else None


# --- the desk -----------------------------------------------------------------------


def _desk(
    name: str,
    page: str,
    at: int,
    value: str,
    used: Callable[[Visitor, str], str | None],
    *,
    before: bytes = b"",
    takes_all: bool = False,
) -> Field:
    def arrive(visitor: Visitor) -> None:
        desk_page(page)(visitor)
        if before:
            # The same page again keeps its texts, and the field that was typed in.
            visitor.ask("focus", at=0)
            visitor.type(CLEAR, before)
        visitor.ask("focus", at=at)

    place = Place(name=f"desk: {name}", face="desk", shows="PageScreen", arrive=arrive)
    return Field(
        name=name,
        place=place,
        value=lambda _: value,
        finish=_submit,
        used=used,
        takes_all=takes_all,
    )


def _submit(visitor: Visitor, typed: bytes) -> None:
    visitor.type(b"\x1bOQ")


def _signed_in(visitor: Visitor, right: str) -> str | None:
    return right if visitor.ask("operator")["operator"] else None


def _reason(visitor: Visitor, right: str) -> str | None:
    reasons: list[str] = visitor.ask("reasons")["reasons"]
    return reasons[-1] if reasons else None


# --- cells --------------------------------------------------------------------------


def may_be(front: str, key: Key, times: int, back: str) -> set[str | None]:
    """Return what may be used after all: what was typed, or nothing."""
    if key.text:
        return {None, front + key.text * times + back}
    meant: set[str | None] = {None, front + back}
    if key.is_enter:
        meant.add(front)
    if "backspace" in key.name:
        meant.add(front[: max(0, len(front) - times)] + back)
    if key.name.startswith("ctrl+u"):
        meant.add(back)
    return meant


def run(field: Field, cells: Iterable[tuple[Key, Rhythm]], pool: Pool) -> Iterator[str]:
    """Press each key in the middle of a value; tell what was used but not typed."""
    waiting = list(cells)
    while waiting:
        visitor = pool.visitor(field.place)
        group: list[tuple[Key, Rhythm]] = []
        try:
            yield from _entry(field, visitor, waiting, group)
        except (AssertionError, OSError) as error:
            yield f"{field.name}, {_names(group)}: {error}"
            pool.drop(visitor)


def _entry(
    field: Field,
    visitor: Visitor,
    waiting: list[tuple[Key, Rhythm]],
    group: list[tuple[Key, Rhythm]],
) -> Iterator[str]:
    """Type one value with keys in it: as many as do nothing, or one that does."""
    field.place.arrive(visitor)
    if not visitor.settle().startswith(field.place.shows):
        group.append(waiting.pop(0))
        raise AssertionError(f"not reached: {visitor.shown}\n{visitor.text()}")
    right = field.value(visitor)
    before = visitor.facts()
    middle = len(right) // 2
    front, back = right[:middle], right[middle:]
    visitor.type(front.encode())
    pressed, is_inert = b"", True
    while waiting:
        key, rhythm = waiting[0]
        if key.text and group:
            break
        visitor.written()
        group.append(waiting.pop(0))
        press(visitor, key.data, rhythm)
        pressed += key.data * (1 if rhythm is Rhythm.FIRST else TIMES)
        is_inert = not key.text and not visitor.written()
        if not is_inert:
            break
    visitor.type(back.encode())
    field.finish(visitor, front.encode() + pressed + back.encode())
    visitor.settle()
    key, rhythm = group[-1]
    meant = may_be(front, key, 1 if rhythm is Rhythm.FIRST else TIMES, back)
    used = field.used(visitor, right)
    if is_inert:
        meant.remove(None)
    if used not in meant:
        typed = f"{front!r} {key.text!r} {back!r}"
        yield f"{field.name}, {_names(group)}: {used!r} was used, not {typed}"
    if (
        used is None
        and not field.takes_all
        and not key.text.isascii()
        and _tries(before) != _tries(visitor.facts())
    ):
        yield f"{field.name}, {_names(group)}: it cost a try, though no card takes it"
    yield from (f"{field.name}, {_names(group)}: {it}" for it in visitor.complaints())


def _tries(facts: dict[str, object]) -> object:
    cards: dict[str, list[object]] = facts["cards"]  # type: ignore[assignment]  # as facts_of makes it
    return {name: card[1:] for name, card in cards.items()}, facts["wrong passwords"]


def _names(group: list[tuple[Key, Rhythm]]) -> str:
    return ", ".join(f"{key.name} {rhythm.value}" for key, rhythm in group[-3:])
