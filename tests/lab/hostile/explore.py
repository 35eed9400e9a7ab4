"""Histories: every single act, pairs of acts, and whatever a seed chooses.

`python -m lab.hostile SECONDS [SEED]` lets random histories happen until the time is
over; one that breaks a promise is told as a story, and replayed by its seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.histories import Story
from lab.hostile import acts
from lab.hostile.families import EVERY
from lab.hostile.judges import broken
from lab.hostile.less import Less
from lab.hostile.points import Act, Point
from lab.hostile.town import Person, Town
from storage.registry import Registry

Plan = Mapping[int, tuple[str, Act]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A history that broke a promise."""

    story: tuple[str, ...]
    broken: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((*self.story, *(f"  !! {each}" for each in self.broken)))


@dataclass(frozen=True, slots=True)
class Planned:
    """One act at one point, chosen by its place among those possible there."""

    point: int
    choice: int


def points_of(story: Story, *, is_apart: bool = False) -> tuple[Point, ...]:
    """Return the points of one operation when nothing goes wrong."""
    town = Town(story, is_apart=is_apart)
    town.points.arm({})
    town.visit(town.people[0], story.kind)
    return tuple(town.points.seen)


def singles(story: Story, *, is_apart: bool = False) -> Iterator[Planned]:
    """Return every single act at every point of one operation."""
    town = Town(story, is_apart=is_apart)
    for point in points_of(story, is_apart=is_apart):
        for choice in range(len(acts.possible(town, town.people[0], point))):
            yield Planned(point.number, choice)


def happen(story: Story, *planned: Planned, is_apart: bool = False) -> Failure | None:
    """Let one operation happen with these acts; None: every promise was kept."""
    town = Town(story, is_apart=is_apart)
    person = town.people[0]
    town.points.arm({})
    by_point = {each.point: each.choice for each in planned}

    class Plans(dict[int, tuple[str, Act]]):
        """What happens at a point is known when it is there."""

        def __contains__(self, number: object) -> bool:
            return number in by_point

        def __getitem__(self, number: int) -> tuple[str, Act]:
            point = town.points.seen[-1]
            possible = acts.possible(town, person, point)
            return possible[by_point[number] % len(possible)]

    town.points.arm(Plans())
    town.visit(person, story.kind)
    return judged(town, f"{story.name}:")


def judged(town: Town, first: str) -> Failure | None:
    """Let all be well again, and ask the judges. None: every promise was kept."""
    for person in town.people:
        town.settle(person)
    found = broken(town)
    if not found:
        return None
    return Failure((first, *town.points.story), tuple(found))


def shrunk(
    story: Story, planned: tuple[Planned, ...], *, is_apart: bool = False
) -> tuple[Planned, ...]:
    """Return the fewest of the acts that still break a promise."""
    for index in range(len(planned)):
        fewer = planned[:index] + planned[index + 1 :]
        if fewer and happen(story, *fewer, is_apart=is_apart) is not None:
            return shrunk(story, fewer, is_apart=is_apart)
    return planned


def planned_by(
    town: Town,
    chance: random.Random,
    less: Less,
    name: str,
    *,
    person: Person | None = None,
    most: int = 2,
    points: int = 160,
) -> Plan:
    """Return a plan of at most so many acts, which a seed chooses.

    `person`: whom they are about; None: anybody. `name`: what they are a part of.
    """
    drawn = {
        chance.randrange(points): (chance.randrange(100), chance.randrange(100))
        for _ in range(chance.randint(0, most))
    }
    plan = {
        point: drawn[point]
        for number, point in enumerate(sorted(drawn))
        if less.has(f"{name} act {number}")
    }
    return _Chosen(town, person, plan)


class _Chosen(dict[int, tuple[str, Act]]):
    """What happens at a point is known when it is there."""

    def __init__(
        self, town: Town, person: Person | None, plan: dict[int, tuple[int, int]]
    ) -> None:
        super().__init__()
        self._town, self._person, self._plan = town, person, plan

    def __contains__(self, number: object) -> bool:
        return number in self._plan

    def __getitem__(self, number: int) -> tuple[str, Act]:
        choice, whose = self._plan[number]
        people = self._town.people
        of = self._person or people[whose % len(people)]
        possible = acts.possible(self._town, of, self._town.points.seen[-1])
        return possible[choice % len(possible)]


def wander(seed: int, less: Less | None = None) -> Failure | None:
    """Several people, several days: what happens is the seed's choice."""
    return judged(wandered(seed, less=less), f"seed {seed}:")


def wandered(
    seed: int, registry: Registry | None = None, less: Less | None = None
) -> Town:
    """Return the town in which that has happened; `less`: of which only a part."""
    chance, less = random.Random(seed), less or Less()
    stories = chance.sample(EVERY, chance.randint(1, 3))
    is_apart = chance.random() < 0.5
    town = Town(*stories, registry=registry, is_apart=is_apart)
    for number in range(chance.randint(2, 5)):
        name = f"visit {number}"
        person = chance.choice(town.people)
        town.points.arm(planned_by(town, chance, less, name, person=person))
        station = chance.choice(("kiosk-1", "kiosk-2"))
        if less.has(name):
            shown = town.visit(person, None, station=station)
            said = shown.outcome if shown is not None else "nothing"
            town.points.story.append(f"{person.name} at {station}: {said}")
        town.points.armed = False
        town.domain.heal()
        town.world.clock.sleep(chance.choice((1.0, 200.0, 86_400.0)))
    return town
