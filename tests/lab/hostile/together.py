"""Several stations at once, each with its workers, and a helpdesk that decides.

A card's thread and the authority's thread of each station, the helpdesk and whoever
carries a card to the next station go by turns (`turns`), under the history's one seed.
"""

from __future__ import annotations

import random
from functools import partial

from kiosk.simulation.interference import ProcessDied
from lab.hostile.explore import Failure, judged, planned_by
from lab.hostile.families import EVERY
from lab.hostile.less import Less
from lab.hostile.office import DECISIONS
from lab.hostile.pages import CHOICES
from lab.hostile.town import Person, Town
from lab.hostile.turns import Turns, TurnWorker
from storage.registry import Registry

_STATIONS = ("kiosk-1", "kiosk-2", "kiosk-3")
_DECISIONS = tuple(DECISIONS)
_CHOICES = tuple(CHOICES)
_POINTS = 400
"""Of all that go on at once, at which something may happen."""


def together(seed: int, less: Less | None = None) -> Failure | None:
    """Several at once: what happens, and whose turn it is, is the seed's choice."""
    return judged(been_together(seed, less=less), f"seed {seed}, together:")


def been_together(
    seed: int,
    registry: Registry | None = None,
    taken: list[str] | None = None,
    less: Less | None = None,
) -> Town:
    """Return the town in which that has happened; `taken`: whose turn it was.

    `less`: of which only a part happens.
    """
    chance, less = random.Random(seed), less or Less()
    stories = chance.sample(EVERY, chance.randint(1, 3))
    town = Town(*stories, registry=registry, is_apart=chance.random() < 0.5)
    town.waits_end = True
    for day in range(chance.randint(1, 2)):
        turns = Turns(chance.getrandbits(32), less.restless)
        name = f"day {day}"
        plan = planned_by(town, chance, less, name, most=3, points=_POINTS)
        town.points.arm(plan)
        town.points.turn = turns.turn
        if town.line is not None:
            town.line.begin = turns.begin
        _begin(town, turns, chance, less, name)
        turns.go()
        town.points.turn, town.points.armed = _nobody, False
        if town.line is not None:
            town.line.begin = None
        if taken is not None:
            taken += turns.taken
        town.domain.heal()
        town.world.clock.sleep(chance.choice((1.0, 200.0, 86_400.0)))
    return town


def _nobody() -> None:
    return


def _is_free(taken: set[str], station: str) -> bool:
    return station not in taken


def _begin(
    town: Town, turns: Turns, chance: random.Random, less: Less, day: str
) -> None:
    free = list(_STATIONS)
    workers = {station: TurnWorker(turns, f"{station}, authority") for station in free}
    taken: set[str] = set()
    """Stations at which somebody stands: a card's thread does one after the other."""
    under_way = len(town.people)

    def is_over() -> None:
        nonlocal under_way
        under_way -= 1
        if not under_way:
            for worker in workers.values():
                worker.stop()

    for number, person in enumerate(town.people):
        visits = [
            free[(number + step) % 3]
            for step in range(chance.randint(1, 2))
            if less.has(f"{day} {person.name} visit {step}")
        ]

        def goes(person: Person = person, visits: list[str] = visits) -> None:
            try:
                for station in visits:
                    turns.until(partial(_is_free, taken, station))
                    taken.add(station)
                    shown = town.visit(
                        person, None, station=station, worker=workers[station]
                    )
                    taken.discard(station)
                    said = shown.outcome if shown is not None else "nothing"
                    town.points.story.append(f"{person.name} at {station}: {said}")
            finally:
                is_over()

        turns.begin(f"{person.name}, card", goes)
    decided = chance.randrange(3)
    drawn = [
        (chance.randrange(40), chance.choice(town.people), chance.choice(_DECISIONS))
        for _ in range(decided)
    ]
    at_pages = [
        (chance.randrange(40), chance.choice(town.people), chance.choice(_CHOICES))
        for _ in range(chance.randrange(3))
    ]
    decisions = [
        each
        for number, each in enumerate(drawn)
        if less.has(f"{day} decision {number}")
    ]
    if decisions:
        turns.begin("helpdesk", partial(_decide, town, turns, decisions))
    chosen = [
        each for number, each in enumerate(at_pages) if less.has(f"{day} page {number}")
    ]
    if chosen:
        turns.begin("helpdesk, pages", partial(_go_through, town, turns, chosen))


def _decide(town: Town, turns: Turns, decisions: list[tuple[int, Person, str]]) -> None:
    """Hanna decides one thing after the other; others go on between her commits."""
    for after, person, what in decisions:
        for _ in range(after):
            turns.turn()
        try:
            town.office.decides(person, DECISIONS[what])
        except ProcessDied:
            town.restart()
        town.points.story.append(f"the helpdesk {what} of {person.name}")


def _go_through(
    town: Town, turns: Turns, chosen: list[tuple[int, Person, str]]
) -> None:
    """Hanna goes through the pages of one case after the other, slowly."""
    for after, person, choice in chosen:
        for _ in range(after):
            turns.turn()
        shown = None
        try:
            shown = town.office.pages.decides(person, choice, turns.turn)
        except ProcessDied:
            town.restart()
        said = "nothing" if shown is None else shown.notice or shown.name
        town.points.story.append(f"pages, {choice} of {person.name}: {said}")
