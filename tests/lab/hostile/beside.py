"""A call that is heard at two hosts at once: what each of them does, turn by turn.

A station that hears nothing asks again, under the same key, while the first host is
still at it. One of the two cannot reach the directory just then.
"""

from __future__ import annotations

from kiosk.directory.errors import Unreachable
from lab.histories import Story
from lab.hostile.explore import Failure, judged
from lab.hostile.points import BEFORE, CALL, LINE, Act, Lost, Point
from lab.hostile.town import FIRST, Town
from lab.hostile.turns import Turns, TurnWorker


class _Plan(dict[int, tuple[str, Act]]):
    """`call` is heard beside itself once, and of what is reached since, one is not."""

    def __init__(self, town: Town, call: str, away: int) -> None:
        super().__init__()
        self._town, self._call, self._away = town, call, away
        self.is_beside = False
        self.reached = 0
        """Connections that were asked for since."""

    def __contains__(self, number: object) -> bool:
        point = self._town.points.seen[-1]
        if not self.is_beside:
            self.is_beside = (LINE, self._call, BEFORE) == point[1:]
            return self.is_beside
        if point[1:] != (CALL, "connect", BEFORE):
            return False
        self.reached += 1
        return self.reached == self._away

    def __getitem__(self, number: int) -> tuple[str, Act]:
        if self.reached:
            return "nobody is reached", _reach_nobody
        return "it is heard, and asked again", self._hear_beside

    def _hear_beside(self, point: Point) -> None:
        assert self._town.line is not None
        self._town.line.hear_beside()
        raise Lost


def _reach_nobody(point: Point) -> None:
    raise Unreachable(dcs=FIRST, reason="timeout")


def beside(story: Story, call: str, seed: int, away: int) -> Failure | None:
    """Let `call` be heard at two hosts; the `away`-th connection since is not made.

    None: every promise was kept. LookupError: the story has no such call.
    """
    town = Town(story, is_apart=True)
    assert town.line is not None
    turns = Turns(seed)
    plan = _Plan(town, call, away)
    worker = TurnWorker(turns, "authority")

    def visits() -> None:
        try:
            town.visit(town.people[0], story.kind, worker=worker)
        finally:
            worker.stop()

    turns.begin("card", visits)
    town.line.begin = turns.begin
    town.points.arm(plan)
    town.points.turn = turns.turn
    turns.go()
    if not plan.is_beside:
        raise LookupError(call)
    town.points.turn = lambda: None
    return judged(town, f"{story.name}, {call} at two hosts, seed {seed}, {away} away:")
