"""Several stations at once, each with its workers, and a helpdesk that decides.

A card's thread and the authority's thread of each station, the helpdesk and whoever
carries a card to the next station go by turns (`turns`), under the history's one seed.
"""

from __future__ import annotations

import random
from functools import partial

from lab.hostile import acts
from lab.hostile.explore import Failure, judged, planned_by
from lab.hostile.families import EVERY
from lab.hostile.town import Person, Town
from lab.hostile.turns import Turns, TurnWorker
from storage.registry import Registry

_STATIONS = ("kiosk-1", "kiosk-2", "kiosk-3")
_POINTS = 400
"""Of all that go on at once, at which something may happen."""


def together(seed: int) -> Failure | None:
    """Several at once: what happens, and whose turn it is, is the seed's choice."""
    return judged(been_together(seed), f"seed {seed}, together:")


def been_together(
    seed: int, registry: Registry | None = None, taken: list[str] | None = None
) -> Town:
    """Return the town in which that has happened; `taken`: whose turn it was."""
    chance = random.Random(seed)
    stories = chance.sample(EVERY, chance.randint(1, 3))
    town = Town(*stories, registry=registry, is_apart=chance.random() < 0.5)
    town.waits_end = True
    for _ in range(chance.randint(1, 2)):
        turns = Turns(chance.getrandbits(32))
        town.points.arm(planned_by(town, chance, most=3, points=_POINTS))
        town.points.turn = turns.turn
        _begin(town, turns, chance)
        turns.go()
        town.points.turn, town.points.armed = _nobody, False
        if taken is not None:
            taken += turns.taken
        town.domain.heal()
        town.world.clock.sleep(chance.choice((1.0, 200.0, 86_400.0)))
    return town


def _nobody() -> None:
    return


def _is_free(taken: set[str], station: str) -> bool:
    return station not in taken


def _begin(town: Town, turns: Turns, chance: random.Random) -> None:
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
        visits = [free[(number + step) % 3] for step in range(chance.randint(1, 2))]

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
    if chance.random() < 0.5:
        decides = chance.choice(town.people)
        what = chance.choice(acts.DECISIONS)
        after = chance.randrange(40)

        def decide() -> None:
            for _ in range(after):
                turns.turn()
            with town.points.quiet():
                what(town, decides)
            town.points.story.append(f"of {decides.name}: {what.__name__}")

        turns.begin("helpdesk", decide)
