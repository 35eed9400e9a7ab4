"""An operator's session over a line with a delay: a sign-in by card, and a card issued.

The session runs on another thread, as at an authority; every frame is sealed and
opened, and arrives half a round trip after it was sent. Card, readers and directory are
simulated and answer at once: a real card's own time, above all that in which it makes
its keys, comes on top. Beside it the same on a desk of its own, without a line.

`BENCH_ROUND_TRIPS` says which, in milliseconds.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.desk.session import Session
from scripts.bench import Row

if TYPE_CHECKING:
    from kiosk.authority.office.ports import OfficeAuthority
    from kiosk.desk.context import Site
    from kiosk.desk.views import DeskPort
    from kiosk.simulation.cards.piv import SimulatedPivCard

ON_REQUEST = True
TITLE = "An operator's session over a line"
LABORATORY = Path(__file__).parents[2] / "tests"
ROUND_TRIPS = tuple(
    map(float, os.environ.get("BENCH_ROUND_TRIPS", "0 1 20 50").split())
)
TURNS = 3
AT_MOST_MS = {"signs in by card": 150.0, "has a card issued": 300.0}
"""Of the desk's own work, besides the round trips."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that an operator did."""

    ms: float
    frames: int
    """On the line, both ways."""


def run() -> list[Row]:
    """Do both over each line, and without one."""
    if str(LABORATORY) not in sys.path:
        sys.path.insert(0, str(LABORATORY))
    rows = []
    for what, act in _ACTS.items():
        _done(act, None)  # what is imported when it is first needed
        here = _median([_done(act, None) for _ in range(TURNS)])
        for round_trip in ROUND_TRIPS:
            there = _median([_done(act, round_trip) for _ in range(TURNS)])
            print(f"{what}, {round_trip:g} ms: {there}", file=sys.stderr)
            waits = there.frames / 2 * round_trip
            rows.append(
                Row(
                    what=f"{what}, {there.frames} frames, round trip {round_trip:g} ms",
                    ours=there.ms,
                    other=here.ms,
                    other_is="without a line",
                    unit="ms",
                    target=float("inf"),
                    at_most=1.5 * waits + AT_MOST_MS[what],
                )
            )
    return rows


def _median(done: list[Done]) -> Done:
    return Done(statistics.median(it.ms for it in done), done[0].frames)


def _done(act: Callable[[_Operator], None], round_trip: float | None) -> Done:
    """Do it in a new office."""
    operator = _Operator(round_trip)
    operator.begin()
    before, began = operator.sent(), time.perf_counter()
    act(operator)
    ms = 1000 * (time.perf_counter() - began)
    return Done(ms, operator.sent() - before)


class _Operator:
    """A site, and what its operator does there."""

    def __init__(self, round_trip: float | None) -> None:
        import lab.desk.office
        from lab.desk.delayed_desk import Delayed
        from lab.desk.office import Office

        self._lines: list[Delayed] = []

        def make(authority: OfficeAuthority, site: Site) -> DeskPort:
            if round_trip is None:
                return Session(authority, site)
            self._lines.append(Delayed(authority, site, round_trip / 2000))
            return self._lines[-1].desk

        former = lab.desk.office.desk_of
        lab.desk.office.desk_of = [make]
        try:
            self.office = Office()
        finally:
            lab.desk.office.desk_of = former

    def begin(self) -> None:
        """Have somebody to give a card to, and a new card."""
        from kiosk.simulation.cards.options import PivOptions
        from kiosk.simulation.cards.piv import SimulatedPivCard

        self.office.person("alice")
        self.olgas = self.office.holder("olga").made.card
        self.chip = SimulatedPivCard(
            entropy=self.office.world.entropy,
            options=PivOptions(serial=b"\0\0\0\7", version=b"\5\4\3"),
        )

    def sent(self) -> int:
        return sum(line.cut.sent for line in self._lines)

    def puts_in(self, chip: SimulatedPivCard) -> None:
        card = self.office.world.readers.insert(chip)
        self.office.page = self.office.desk.card_came(card)


def _sign_in(operator: _Operator) -> None:
    from lab.desk.office import PIN

    operator.puts_in(operator.olgas)
    operator.office.submit({"pin": PIN})
    _must_show(operator, "menu")


def _issue(operator: _Operator) -> None:
    """From the menu's choice on: the operator has signed in."""
    from lab.desk.office import PASSWORD

    office = operator.office
    office.choose("account")
    office.submit({"password": PASSWORD}, account="olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    office.choose("staff")
    operator.puts_in(operator.chip)
    office.submit()
    _must_show(operator, "issued")


def _must_show(operator: _Operator, page: str) -> None:
    if operator.office.page.name != page:
        raise AssertionError(operator.office.page.name)


_ACTS = {"signs in by card": _sign_in, "has a card issued": _issue}
