"""Several threads, of which one goes at a time: a seed says which, and when.

Each is a real thread. At every point (`points.Points.turn`), and wherever it waits for
another, it hands over to whoever the seed names. So the same seed is the same history
whatever the machine's own scheduler does, and no lock is ever waited for: whoever holds
one goes on until a point, and there are none inside the product's short locks.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from kiosk.core.workers import PendingJob

T = TypeVar("T")
_STUCK_SECONDS = 60.0
"""Of the machine's own time: a thread that holds on to its turn is a bug of a test."""
_GIVES_UP = 12
"""One in so many waits that may end by themselves does, before the answer is there."""


class NobodyCanGoOn(Exception):
    """All wait for each other: a deadlock."""


class _Actor:
    def __init__(self, name: str) -> None:
        self.name = name
        self.turn = threading.Lock()
        """Free for a moment only: from when it is given until it is taken."""
        self.turn.acquire()
        self.until: Callable[[], bool] | None = None
        self.has_ended = False
        self.error: BaseException | None = None

    def can_go(self) -> bool:
        return not self.has_ended and (self.until is None or self.until())


class Turns:
    """Who goes next. Begin all that there are, then `go` until they have ended."""

    def __init__(self, seed: int, restless: int | None = None) -> None:
        """`restless`: so many turns are given by chance; after them whoever has one
        keeps it while they can. None: all are.
        """
        self._chance = random.Random(seed)
        self._restless = restless
        self._actors: list[_Actor] = []
        self._mine = threading.local()
        self._all_over = threading.Lock()
        self._all_over.acquire()
        self._stuck = False
        self.taken: list[str] = []
        """Whose turn it was, one after the other."""

    def begin(self, name: str, job: Callable[[], None]) -> None:
        """Let somebody do `job`, as soon as it is their turn."""
        actor = _Actor(name)
        self._actors.append(actor)

        def run() -> None:
            self._mine.actor = actor
            self._wait(actor)
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - raised by `go`
                actor.error = error
            finally:
                actor.has_ended = True
                self._pass_on()

        threading.Thread(target=run, name=name, daemon=True).start()

    def go(self) -> None:
        """Take turns until all have ended. Raises what one of them raised."""
        self._pass_on()
        if not self._all_over.acquire(timeout=_STUCK_SECONDS):
            raise NobodyCanGoOn(self.taken[-1])
        for actor in self._actors:
            if actor.error is not None:
                raise actor.error
        if self._stuck:
            raise NobodyCanGoOn([a.name for a in self._actors if not a.has_ended])

    def turn(self) -> None:
        """Somebody may go on here first. Does nothing on a thread of nobody's."""
        actor: _Actor | None = getattr(self._mine, "actor", None)
        if actor is not None:
            self._hand_over(actor)

    def until(self, is_so: Callable[[], bool], *, may_give_up: bool = False) -> bool:
        """Wait until it is so, or, where that may be, no longer; say whether it is."""
        actor: _Actor = self._mine.actor
        if not is_so() and may_give_up and self._chance.randrange(_GIVES_UP) == 0:
            self.turn()
            return is_so()
        actor.until = is_so
        self._hand_over(actor)
        actor.until = None
        return True

    def _hand_over(self, actor: _Actor) -> None:
        if self._pass_on() is not actor:
            self._wait(actor)
        else:
            actor.turn.acquire()

    def _pass_on(self) -> _Actor | None:
        ready = [each for each in self._actors if each.can_go()]
        if not ready:
            self._stuck = not all(each.has_ended for each in self._actors)
            self._all_over.release()
            return None
        chosen = self._chance.choice(ready)
        if self._restless is not None and len(self.taken) >= self._restless:
            chosen = next((a for a in ready if a.name in self.taken[-1:]), ready[0])
        self.taken.append(chosen.name)
        chosen.turn.release()
        return chosen

    @staticmethod
    def _wait(actor: _Actor) -> None:
        actor.turn.acquire()


class TurnJob(PendingJob[T]):
    """A result for which somebody waits by letting others go on."""

    __slots__ = ("_turns",)

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def wait(self, seconds: float | None = None) -> bool:
        """`seconds` pass when the seed wants it."""
        return self._turns.until(self._done.is_set, may_give_up=seconds is not None)

    def result(self) -> T:
        self.wait()
        return super().result()


class TurnWorker:
    """A worker beside `InlineWorker` and `SerialWorker`: its thread takes turns."""

    def __init__(self, turns: Turns, name: str) -> None:
        self._turns = turns
        self._jobs: list[Callable[[], None]] = []
        self._is_over = False
        turns.begin(name, self._loop)

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        pending: TurnJob[T] = TurnJob(self._turns)
        self._jobs.append(lambda: pending.run(job))
        return pending

    def post(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)

    def stop(self, seconds: float = 2.0) -> None:
        """End once everything that is queued is done: nothing that was sent is lost."""
        self._is_over = True

    def _loop(self) -> None:
        while True:
            self._turns.until(lambda: bool(self._jobs) or self._is_over)
            if not self._jobs:
                return
            self._jobs.pop(0)()
