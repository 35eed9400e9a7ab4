"""Histories: every single act, pairs of acts, and whatever a seed chooses.

`python -m lab.hostile SECONDS [SEED]` lets random histories happen until the time is
over; one that breaks a promise is told as a story, and replayed by its seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.histories import STORIES, Story
from lab.hostile import acts
from lab.hostile.judges import broken
from lab.hostile.points import Act, Point
from lab.hostile.town import Town
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


def points_of(story: Story) -> tuple[Point, ...]:
    """Return the points of one operation when nothing goes wrong."""
    town = Town(story)
    town.points.arm({})
    town.visit(town.people[0], story.kind)
    return tuple(town.points.seen)


def singles(story: Story) -> Iterator[Planned]:
    """Return every single act at every point of one operation."""
    town = Town(story)
    for point in points_of(story):
        for choice in range(len(acts.possible(town, town.people[0], point))):
            yield Planned(point.number, choice)


def happen(story: Story, *planned: Planned) -> Failure | None:
    """Let one operation happen with these acts; None: every promise was kept."""
    town = Town(story)
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
    return _judged(town, f"{story.name}:")


def _judged(town: Town, first: str) -> Failure | None:
    for person in town.people:
        town.settle(person)
    found = broken(town)
    if not found:
        return None
    return Failure((first, *town.points.story), tuple(found))


def shrunk(story: Story, planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """Return the fewest of the acts that still break a promise."""
    for index in range(len(planned)):
        fewer = planned[:index] + planned[index + 1 :]
        if fewer and happen(story, *fewer) is not None:
            return shrunk(story, fewer)
    return planned


def wander(seed: int) -> Failure | None:
    """Several people, several days: what happens is the seed's choice."""
    return _judged(wandered(seed), f"seed {seed}:")


def wandered(seed: int, registry: Registry | None = None) -> Town:
    """Return the town in which that has happened."""
    chance = random.Random(seed)
    stories = chance.sample(STORIES, chance.randint(1, 3))
    town = Town(*stories, registry=registry)
    for _ in range(chance.randint(2, 5)):
        person = chance.choice(town.people)
        plan = {
            chance.randrange(160): chance.randrange(100)
            for _ in range(chance.randint(0, 2))
        }

        class Plans(dict[int, tuple[str, Act]]):
            """As above."""

            def __contains__(self, number: object) -> bool:
                return number in plan  # noqa: B023 - used in this round only

            def __getitem__(self, number: int) -> tuple[str, Act]:
                point = town.points.seen[-1]
                possible = acts.possible(town, person, point)  # noqa: B023 - the same
                return possible[plan[number] % len(possible)]  # noqa: B023 - the same

        town.points.arm(Plans())
        station = chance.choice(("kiosk-1", "kiosk-2"))
        shown = town.visit(person, None, station=station)
        said = shown.outcome if shown is not None else "nothing"
        town.points.story.append(f"{person.name} at {station}: {said}")
        town.points.armed = False
        town.domain.heal()
        town.world.clock.sleep(chance.choice((1.0, 200.0, 86_400.0)))
    return town
