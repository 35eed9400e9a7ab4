"""Credentials in the order of their holders, searched by any part of a name.

Rows lie in chunks of a few hundred, each one a text of names and a text of marks: a
search is a substring search in two thousand texts for a million credentials, and a
change rewrites one of them. Built when first asked for: a kiosk never asks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from statemachine.lifecycle import State

_ROWS = 512
"""Of a full chunk; one of twice as many is split."""
_FIELD, _ROW = "\x00", "\n"
"""Neither is in a folded name: `view.fold` leaves no control characters."""
Place = tuple[str, str]


class NameRow(NamedTuple):
    """What is looked at of one credential; the names are folded."""

    holder: str
    id: str
    account: str
    card: str
    marks: tuple[str, str, str]
    """State, sync, template."""

    @property
    def place(self) -> Place:
        return self.holder, self.id


class _Chunk:
    """Neighbouring rows. The texts have one line for each id."""

    __slots__ = ("ids", "marks", "names")

    def __init__(self, rows: list[NameRow]) -> None:
        self.ids = [row.id for row in rows]
        self.names = _ROW.join(
            _FIELD.join((row.holder, row.account, row.card)) for row in rows
        )
        self.marks = _ROW.join(_FIELD.join(row.marks) for row in rows)

    def rows(self) -> list[NameRow]:
        names, marks = self.names.split(_ROW), self.marks.split(_ROW)
        found = []
        for key, name, mark in zip(self.ids, names, marks, strict=True):
            holder, account, card = name.split(_FIELD)
            state, sync, template = mark.split(_FIELD)
            found.append(NameRow(holder, key, account, card, (state, sync, template)))
        return found

    def places(self) -> list[Place]:
        holders = (name.partition(_FIELD)[0] for name in self.names.split(_ROW))
        return list(zip(holders, self.ids, strict=True))

    def having(self, term: str) -> Iterator[tuple[int, tuple[str, str, str]]]:
        """Yield (number, (holder, account, card)) of rows with the term in them."""
        at, number, counted = self.names.find(term), 0, 0
        while at >= 0:
            number += self.names.count(_ROW, counted, at)
            begin = self.names.rfind(_ROW, 0, at) + 1
            end = self.names.find(_ROW, at)
            end = len(self.names) if end < 0 else end
            holder, account, card = self.names[begin:end].split(_FIELD)
            yield number, (holder, account, card)
            counted, at = end, self.names.find(term, end)

    def is_retired(self, number: int) -> bool:
        return self.marks.split(_ROW)[number].startswith(State.RETIRED + _FIELD)

    def marked(self, wanted: tuple[str | None, ...]) -> Iterator[int]:
        """Yield the numbers of rows with these marks; None: any."""
        if any(each is not None and each not in self.marks for each in wanted):
            return
        for number, mark in enumerate(self.marks.split(_ROW)):
            own = mark.split(_FIELD)
            if all(w in (None, o) for w, o in zip(wanted, own, strict=True)):
                yield number


Pick = Callable[[_Chunk], Iterable[int]]


def all_rows(chunk: _Chunk) -> Iterable[int]:
    """Pick every row."""
    return range(len(chunk.ids))


def marked(state: str | None, sync: str | None, template: str | None) -> Pick:
    """Pick the rows with these marks."""
    wanted = (state, sync, template)
    return all_rows if wanted == (None,) * 3 else lambda chunk: chunk.marked(wanted)


def part(term: str, *, of_cards: bool, retired: bool | None) -> Pick:
    """Pick the rows with `term` in a name; None: retired or not."""

    def pick(chunk: _Chunk) -> Iterator[int]:
        for number, (holder, account, card) in chunk.having(term):
            if (
                term in holder or term in account or (of_cards and term in card)
            ) and retired in (None, chunk.is_retired(number)):
                yield number

    return pick


def whole(term: str) -> Pick:
    """Pick the rows of which one name is `term`."""

    def pick(chunk: _Chunk) -> Iterator[int]:
        return (number for number, names in chunk.having(term) if term in names)

    return pick


class Names:
    """All rows, in chunks."""

    def __init__(self, rows: Iterable[NameRow]) -> None:
        ordered = sorted(rows)
        self._chunks = [
            _Chunk(ordered[begin : begin + _ROWS])
            for begin in range(0, len(ordered), _ROWS)
        ]
        self._firsts = [ordered[begin].place for begin in range(0, len(ordered), _ROWS)]

    def scan(self, pick: Pick, after: Place | None = None) -> Iterator[str]:
        """Yield the ids of picked rows behind `after`, in order."""
        first = 0 if after is None else self._chunk_of(after)
        for number in range(first, len(self._chunks)):
            chunk = self._chunks[number]
            behind = 0
            if number == first and after is not None:
                behind = bisect_right(chunk.places(), after)
            for row in pick(chunk):
                if row >= behind:
                    yield chunk.ids[row]

    def change(self, before: NameRow | None, after: NameRow | None) -> None:
        """Put a row in the place of another."""
        if before == after:
            return
        if before is not None:
            self._edit(before.place, None)
        if after is not None:
            self._edit(after.place, after)

    def _chunk_of(self, place: Place) -> int:
        return max(bisect_right(self._firsts, place) - 1, 0)

    def _edit(self, place: Place, row: NameRow | None) -> None:
        if not self._chunks:
            rows: list[NameRow] = []
            number = 0
            self._chunks, self._firsts = [_Chunk(rows)], [place]
        else:
            number = self._chunk_of(place)
            rows = self._chunks[number].rows() if self._chunks[number].ids else []
        at = bisect_left(rows, place, key=lambda each: each.place)
        if at < len(rows) and rows[at].place == place:
            del rows[at]
        if row is not None:
            rows.insert(at, row)
        half = len(rows) // 2
        parts = [rows[:half], rows[half:]] if len(rows) > 2 * _ROWS else [rows]
        kept = [each for each in parts if each]
        self._chunks[number : number + 1] = [_Chunk(each) for each in kept]
        self._firsts[number : number + 1] = [each[0].place for each in kept]
