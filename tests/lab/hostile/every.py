"""`python -m lab.hostile every SECONDS [PART OF]`: all single acts, then pairs evenly.

Every act at every point of every operation, way and family, with the authority in the
station and behind a line; then pairs of change, activate, unblock and finish for as
long as there is time. A whole part of the pairs is never left out: they are taken all
over at once, by steps that meet each of them once before they meet one again. `PART OF`
takes every so many-th, for several at once. Tells how many of how many there were.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lab.histories import STORIES, Story
from lab.hostile.explore import Planned, happen, shrunk, singles
from lab.hostile.families import EVERY

GOLDEN = 0.6180339887498949
"""Of all, from one to the next: whatever is left out is left out everywhere."""
OF_PAIRS = STORIES[:5]
"""Change, activate (twice), unblock, finish: as most cards are."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two acts at two points of one operation, every one of them once."""

    every: Sequence[Planned]

    @property
    def count(self) -> int:
        at = Counter(each.point for each in self.every)
        return (len(self.every) ** 2 - sum(one**2 for one in at.values())) // 2

    def evenly(self) -> Iterator[tuple[Planned, Planned]]:
        """Yield all of them; those first that are far from each other."""
        size = len(self.every)
        step = round(size**2 * GOLDEN)
        while math.gcd(step, size**2) != 1:
            step += 1
        for number in range(size**2):
            first, second = divmod(number * step % size**2, size)
            if self.every[first].point < self.every[second].point:
                yield self.every[first], self.every[second]


@dataclass(slots=True)
class Tally:
    """How many of how many, and what was broken."""

    tell: Callable[[str], None]
    part: int = 0
    of: int = 1
    tried: int = 0
    there_are: int = 0
    broken: list[str] = field(default_factory=list)

    def is_mine(self, number: int) -> bool:
        return number % self.of == self.part

    def let_happen(self, story: Story, *planned: Planned, is_apart: bool) -> None:
        """Let it happen; a promise that it breaks is told at once."""
        self.tried += 1
        if happen(story, *planned, is_apart=is_apart) is None:
            return
        fewest = shrunk(story, planned, is_apart=is_apart)
        told = f"{fewest}\n{happen(story, *fewest, is_apart=is_apart)}"
        self.broken.append(told)
        self.tell(told)

    def __str__(self) -> str:
        return f"{self.tried} of {self.there_are}; {len(self.broken)} broken"


def all_singles(tally: Tally) -> None:
    """Let every single act happen."""
    numbers = itertools.count()
    for story, is_apart in itertools.product(EVERY, (False, True)):
        for one in singles(story, is_apart=is_apart):
            tally.there_are += 1
            if tally.is_mine(next(numbers)):
                tally.let_happen(story, one, is_apart=is_apart)
        where = "on the line" if is_apart else "in the station"
        tally.tell(f"{story.name}, {where}: {tally}")


def pairs_until(tally: Tally, until: float) -> None:
    """Let pairs happen, of each story in turn, until then (monotonic)."""
    every = [
        (story, is_apart, Pairs(tuple(singles(story, is_apart=is_apart))))
        for story, is_apart in itertools.product(OF_PAIRS, (False, True))
    ]
    tally.there_are = sum(pairs.count for _, _, pairs in every)
    turns = [(story, is_apart, pairs.evenly()) for story, is_apart, pairs in every]
    number = 0
    while turns and time.monotonic() < until:
        for turn in list(turns):
            story, is_apart, pairs = turn
            pair = next(pairs, None)
            if pair is None:
                turns.remove(turn)
            elif tally.is_mine(number):
                tally.let_happen(story, *pair, is_apart=is_apart)
        number += 1


def every(seconds: float, part: int, of: int, tell: Callable[[str], None]) -> int:
    """Let all singles happen, and pairs for as long; 1: a promise was broken."""
    until = time.monotonic() + seconds
    ones, twos = Tally(tell, part, of), Tally(tell, part, of)
    all_singles(ones)
    tell(f"singles: {ones}")
    pairs_until(twos, until)
    tell(f"pairs: {twos}")
    return 1 if ones.broken or twos.broken else 0
