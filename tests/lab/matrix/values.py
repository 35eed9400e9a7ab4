"""What was typed, and what was used: every field that something comes of.

A key is pressed in the middle of a right value. What is used afterwards, on the card,
in the directory or in the evidence, is what the person typed, or nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.matrix.cells import Pool, press, times_of
from lab.matrix.keys import Key
from lab.matrix.oracle import Rhythm
from lab.matrix.place import Place
from lab.matrix.visitor import Visitor


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
    means: Callable[[str], str] = str
    """What a value means: characters that mean nothing in it are left out."""
    draws: bool = True
    """A key that does something can be seen to; False: nothing is ever drawn."""
    is_cleared: bool = False
    """Escape clears it, and its page stays."""
    takes_all: bool = False
    """Every character may be of its value: a wrong one costs its try."""


# --- cells --------------------------------------------------------------------------


def may_be(front: str, key: Key, times: int, back: str) -> set[str | None]:
    """Return what may be used after all: what was typed, or nothing."""
    if key.text:
        return {None, front + key.text * times + back}
    meant: set[str | None] = {None, front + back}
    if key.is_enter or key.is_own_key or key.leaves_field:
        meant.add(front)
    if "backspace" in key.name:
        meant.add(front[: max(0, len(front) - times)] + back)
    if key.name.lower().startswith("ctrl+u"):
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
        if group and (key.text or not field.draws):
            break
        visitor.written()
        group.append(waiting.pop(0))
        pressed += key.data * press(visitor, key, rhythm)
        is_inert = field.draws and not key.text and not visitor.written()
        if not is_inert:
            break
    visitor.type(back.encode())
    field.finish(visitor, front.encode() + pressed + back.encode())
    visitor.settle()
    key, rhythm = group[-1]
    meant = may_be(front, key, times_of(rhythm), back)
    if field.is_cleared and "escape" in key.name:
        meant.add(back)
    used = field.used(visitor, right)
    if is_inert:
        meant.remove(None)
    if used not in {it and field.means(it) for it in meant}:
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
