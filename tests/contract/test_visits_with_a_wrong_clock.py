"""Whole visits on every registry while the host's clock is wrong, or is put right.

Nothing is decided between two events by a clock that may jump: a visit is done or is
refused, what is on record is what is true, and the evidence stays whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from lab.histories import History
from lab.liar import named
from lab.registries import IMPLEMENTATIONS

from kiosk.core.clock import ManualClock
from kiosk.visit.views import Outcome, Result
from storage.registry import Registry, Tx

pytestmark = pytest.mark.slow

T = TypeVar("T")
STORIES = ("change", "unblock", "finish")
JUMPS = {
    "a day behind": -86_400.0,
    "an hour behind": -3_600.0,
    "an hour ahead": 3_600.0,
    "a year ahead": 365 * 86_400.0,
}
STORES = ("tinydb", "postgresql")


class AtCommit:
    """A registry at one of whose commits something happens first."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.spared = -1
        """Commits until then; below zero: it has happened, or never will."""
        self.happens: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def run(self, fn: Callable[[Tx], T]) -> T:
        if self.spared == 0:
            self.happens()
        self.spared -= 1
        return self._registry.run(fn)


def put(history: History, seconds: float) -> None:
    """Put the host's wall clock forward, or back."""
    assert isinstance(history.world.clock, ManualClock)
    history.world.clock.set_wall(seconds)


def judged(history: History, result: Result | None) -> str:
    """Hold what was shown against what is true at the next look; name the outcome."""
    assert result is not None, "nothing was shown"
    history.look()
    history.assert_invariants(result)
    return result.outcome


@pytest.fixture(params=STORES)
def make(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Registry]]:
    made: list[Registry] = []

    def new() -> Registry:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(IMPLEMENTATIONS[request.param](folder))
        return made[-1]

    yield new
    for each in made:
        each.close()


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("story", STORIES)
def test_a_clock_that_jumps_at_any_commit_leaves_what_is_true(
    make: Callable[[], Registry], story: str, jump: str
) -> None:
    outcomes: Counter[str] = Counter()
    for spared in range(99):
        registry = AtCommit(make())
        history = History(named(story), cast("Registry", registry))
        registry.happens = partial(put, history, JUMPS[jump])
        result = history.attempt(
            lambda _, it=registry, at=spared: setattr(it, "spared", at)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        )
        has_happened = registry.spared < 0
        outcomes[judged(history, result)] += 1
        put(history, -JUMPS[jump] if has_happened else 0.0)
        history.come_home()
        assert history.is_in_step(), "with the clock put right, it ends well"
        registry.close()
        if not has_happened:
            break
    assert sum(outcomes.values()) > 3, "every commit of a visit was tried"
    assert outcomes[Outcome.DONE] >= 1


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("story", STORIES)
def test_a_clock_that_is_wrong_all_the_time_hinders_no_visit(
    make: Callable[[], Registry], story: str, jump: str
) -> None:
    """What is there already is of the right time: the evidence goes back, or jumps."""
    registry = make()
    history = History(named(story), registry)
    put(history, JUMPS[jump])
    assert judged(history, history.attempt()) == Outcome.DONE
    assert history.is_in_step()
    put(history, -JUMPS[jump])
    history.look()
    history.assert_invariants(None)
    assert history.is_in_step()
