"""Place × key × rhythm: one process goes through as many cells as it survives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lab.matrix.keys import ENTER, Key
from lab.matrix.oracle import TIMES, Rhythm, Seen, judge
from lab.matrix.place import Place
from lab.matrix.visitor import Visitor

Cells = Iterable[tuple[Key, Rhythm]]
_ALIKE = 4
"""After that many presses that drew nothing, a held key need not be waited for."""
_REPEATS = 0.3
"""A key that is held is pressed again by then, whatever it is still doing (seconds)."""
_DIRTY = 12
"""After that many keys that typed something, a field is begun anew."""


@dataclass(slots=True)
class Verdict:
    """What was found wrong in one cell."""

    place: str
    key: str
    rhythm: Rhythm
    faults: list[str]

    def __str__(self) -> str:
        return f"{self.place}, {self.key} {self.rhythm.value}: {'; '.join(self.faults)}"


class Pool:
    """One program of each kind, as long as it lives."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Visitor] = {}

    def visitor(self, place: Place) -> Visitor:
        """Return who stands at the program that has the place."""
        kind = place.face, place.manner
        if kind not in self._open:
            self._open[kind] = opened(place)
        return self._open[kind]

    def drop(self, visitor: Visitor) -> None:
        """That program is not to be used any more."""
        self._open = {kind: it for kind, it in self._open.items() if it is not visitor}
        with contextlib.suppress(Exception):
            visitor.end()

    def end(self) -> None:
        """Send everybody home."""
        for visitor in list(self._open.values()):
            self.drop(visitor)


@dataclass(slots=True)
class Run:
    """Goes through cells of one place; a program that has ended is started again."""

    place: Place
    pool: Pool
    cells: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    _before: Seen | None = None
    """How it was when this place was reached; None: it must be gone to again."""
    _typed: int = 0
    """How many keys have typed something since."""
    _is_here: bool = False
    """The screen of this place is still there, and nothing else has changed."""

    def go(self, cells: Cells) -> list[Verdict]:
        """Press each key in its rhythm, at this place, and judge."""
        inert: set[str] = set()
        for key, rhythm in cells:
            self.cells += 1
            faults = self._cell(key, rhythm, key.name in inert)
            if faults:
                self.verdicts.append(Verdict(self.place.name, key.name, rhythm, faults))
            elif rhythm is Rhythm.FIRST and self._before is not None:
                inert.add(key.name)
        return self.verdicts

    def _cell(self, key: Key, rhythm: Rhythm, is_inert: bool) -> list[str]:
        if self._typed and (not key.text or self._typed >= _DIRTY):
            self._before = None
        visitor = self.pool.visitor(self.place)
        try:
            before = self._arrived(visitor)
            visitor.ask("rest")
            press(visitor, key, rhythm, is_inert)
            after = _see(visitor, self.place)
        except (AssertionError, OSError) as error:
            said = [f"the log says: {each}" for each in visitor.complaints()]
            self._before, self._is_here = None, False
            self.pool.drop(visitor)
            return [str(error) or type(error).__name__, *said]
        faults = judge(self.place, key, rhythm, before, after)
        self._is_here = after.facts == before.facts and after.shown == before.shown
        if faults or not self._is_here or (after.written and not key.text):
            self._before = None
        elif after.written:
            self._typed += 1
        return faults

    def _arrived(self, visitor: Visitor) -> Seen:
        if self._before is None:
            if not (self._is_here and self.place.afresh(visitor)):
                self.place.arrive(visitor)
            self._typed, self._is_here = 0, False
            visitor.settle()
            if not visitor.shown.startswith(self.place.shows):
                shown = f"{visitor.shown}, not {self.place.shows}"
                raise AssertionError(f"not reached: {shown}\n{visitor.text()}")
            _see(visitor, self.place)
            self._before = _see(visitor, self.place)
        return self._before


def _see(it: Visitor, place: Place) -> Seen:
    """Look; what is on the screen is read only where it may have a secret."""
    text = it.text() if place.secret else ""
    return Seen(it.facts(), text, it.written(), it.complaints(), it.shown)


def opened(place: Place) -> Visitor:
    """Start the program that has the place."""
    visitor = Visitor(place.face, place.manner)
    visitor.terminal.until(lambda _: bool(visitor.terminal.raw), "something drawn")
    visitor.settle()
    return visitor


def press(visitor: Visitor, key: Key, rhythm: Rhythm, is_inert: bool = False) -> int:
    """Press a key in a rhythm; how often. `is_inert`: once it did nothing at all."""
    times = times_of(rhythm)
    if rhythm is Rhythm.HELD:
        _hold(visitor, key.data, times, is_inert)
    else:
        visitor.press(key.data * times)
    visitor.settle()
    return times


def times_of(rhythm: Rhythm) -> int:
    """Return how often a key is pressed in a rhythm."""
    return 1 if rhythm is Rhythm.FIRST else TIMES


def _hold(visitor: Visitor, data: bytes, times: int, is_inert: bool) -> None:
    alike = _ALIKE if is_inert else 0
    for time in range(times):
        visitor.press(data)
        if alike < _ALIKE:
            drawn = len(visitor.terminal.raw)
            visitor.settle(longest=_REPEATS, is_drawn=time < _ALIKE)
            alike = alike + 1 if drawn == len(visitor.terminal.raw) else 0


def sample(at: int, count: int, keys: Sequence[Key]) -> Iterator[tuple[Key, Rhythm]]:
    """The share of place `at` of `count`: Enter leant on, and each key somewhere.

    Over all places every key comes once, in rhythms that take turns.
    """
    rhythms = list(Rhythm)
    yield next(key for key in keys if key.data == ENTER), Rhythm.HELD
    for index in range(at, len(keys), count):
        yield keys[index], rhythms[(index + index // count) % len(rhythms)]


def whole(keys: Iterable[Key]) -> Iterator[tuple[Key, Rhythm]]:
    """Every key in every rhythm, the first press first."""
    for key in keys:
        for rhythm in Rhythm:
            yield key, rhythm
