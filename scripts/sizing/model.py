"""Stations, threads, cores: who waits for whom, second by second (simpy).

A visit is calls one after another. Each call takes a thread of its process, then a core
of the authority, a core of the database, and where it writes the directory's time. A
core is taken two milliseconds at a time, as an operating system gives it. What a person
types and what a card computes happens before and between, and takes nothing of this.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from scripts.sizing.costs import VisitCosts

_SLICE = 0.002
Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What there is. A core is one of the measured kind; `speed` 0.5: half of one."""

    service_cores: int
    database_cores: int
    threads: int
    """Of all processes together."""
    speed: float = 1.0
    shared: bool = False
    """Authority, database and the stations themselves on the same `service_cores`."""


@dataclass(slots=True)
class Waited:
    """What came of it."""

    seconds: float
    took: list[float] = field(default_factory=list)
    """Milliseconds of each visit."""
    busy: dict[str, float] = field(default_factory=dict)
    """Core seconds."""

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds

    def percentile(self, part: float) -> float:
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    def share(self, who: str, cores: int) -> float:
        """How much of these cores was used."""
        return self.busy.get(who, 0.0) / self.seconds / cores


class Morning:
    """One run of a fleet."""

    def __init__(self, costs: VisitCosts, machines: Machines, seed: int = 1) -> None:
        self._costs, self._machines = costs, machines
        self._random = random.Random(seed)
        self._env = simpy.Environment()
        self._service = simpy.Resource(self._env, machines.service_cores)
        self._database = (
            self._service
            if machines.shared
            else simpy.Resource(self._env, machines.database_cores)
        )
        self._threads = simpy.Resource(self._env, machines.threads)
        self._waited = Waited(0.0)

    def always(self, stations: int, seconds: float) -> Waited:
        """Each station begins its next visit when one is done, as a generator does."""

        def station() -> Steps:
            while True:
                yield from self._visit()

        for _ in range(stations):
            self._env.process(station())
        return self._run(seconds)

    def arriving(self, per_second: float, seconds: float, rush: float = 1.0) -> Waited:
        """People come when they like, `per_second` on average; in the middle third
        `rush` times as many.
        """

        def door() -> Steps:
            while True:
                is_rush = seconds / 3 <= self._env.now < 2 * seconds / 3
                rate = per_second * (rush if is_rush else 1.0)
                yield self._env.timeout(self._random.expovariate(rate))
                self._env.process(self._visit())

        self._env.process(door())
        return self._run(seconds)

    # --- inside -----------------------------------------------------------------

    def _run(self, seconds: float) -> Waited:
        self._env.run(until=seconds)
        self._waited.seconds = seconds
        return self._waited

    def _visit(self) -> Steps:
        began = self._env.now
        costs = self._costs
        for number, part in enumerate(costs.calls, 1):
            if self._machines.shared:
                yield from self._use(self._service, "station", costs.station * part)
            with self._threads.request() as thread:
                yield thread
                yield from self._use(self._service, "service", costs.service * part)
                yield from self._use(self._database, "database", costs.database * part)
                if number == len(costs.calls) and costs.directory_wait:
                    yield self._env.timeout(costs.directory_wait / 1000)
        self._waited.took.append(1000 * (self._env.now - began))

    def _use(self, cores: simpy.Resource, who: str, ms: float) -> Steps:
        left = ms / 1000 / self._machines.speed
        self._waited.busy[who] = self._waited.busy.get(who, 0.0) + ms / 1000
        while left > 0:
            with cores.request() as core:
                yield core
                piece = min(left, _SLICE)
                yield self._env.timeout(piece)
                left -= piece
