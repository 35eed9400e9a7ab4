"""Several authorities on one registry whose hosts' clocks differ, or jump.

What one gives out another takes, as long as it would have held; nobody is harmed by who
is ahead; and what two wrote in turn is evidence like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace as remade
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import pytest
from lab.histories import History
from lab.liar import LIMITS, named
from lab.registries import IMPLEMENTATIONS, SHARED, draft

from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.ports import Authority
from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry
from kiosk.authority.proof.verification import damage, evidence_of, verify
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import OpenRequest
from kiosk.core.clock import Clock
from kiosk.doctor import database
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.visit.views import Outcome
from statemachine.operation import Phase
from storage.checkpoints import LANE, SignedCheckpoint
from storage.high_water import HighWaterMark
from storage.registry import Registry
from storage.vault import KeyRing, Vault

pytestmark = pytest.mark.slow

STORIES = ("change", "unblock", "finish")
CARD = (Phase.CARD_CHANGING, Phase.CARD_CHANGED)
TOGETHER = 1.0
"""Seconds that clocks may differ by; by more, `doctor` warns of it."""
APART = (-3600.0, -600.0, -50.0, -TOGETHER, TOGETHER, 50.0, 600.0, 3600.0)


class Wrong:
    """A host's clock, which somebody has set."""

    def __init__(self, right: Clock, ahead: float) -> None:
        self._right, self.ahead = right, ahead

    def now(self) -> float:
        return self._right.now() + self.ahead

    def monotonic(self) -> float:
        return self._right.monotonic()

    def sleep(self, seconds: float) -> None:
        self._right.sleep(seconds)


class Host:
    """One authority: a registry, a clock and deadlines of its own."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self.registry, self.clock, self._fences = registry, clock, Deadlines()

    def parts(self, parts: RequiredPorts) -> RequiredPorts:
        return remade(
            parts, registry=self.registry, clock=self.clock, fences=self._fences
        )

    def authority(self, parts: RequiredPorts, station: str) -> Authority:
        return LocalAuthority(self.parts(parts), station)


class InTurn:
    """An authority that is another host's at each call."""

    def __init__(self, authorities: list[Authority]) -> None:
        self._next = cycle(authorities)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._next), name)


class Site:
    """A right host and a wrong one, and whoever visits there."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._opened: list[Registry] = []

    def visited(self, story: str, ahead: float) -> History:
        """Return a history at a new site: each call goes to the other host."""
        history, right, wrong = self.hosts(story, ahead)

        def reach(parts: RequiredPorts, station: str) -> Authority:
            each = [it.authority(parts, station) for it in (right, wrong)]
            return cast("Authority", InTurn(each))

        self.reached(history, reach)
        return history

    def hosts(self, story: str, ahead: float) -> tuple[History, Host, Host]:
        folder = self._folder / str(len(self._opened))
        folder.mkdir()
        first, second = (IMPLEMENTATIONS[self._name](folder) for _ in range(2))
        self._opened += [first, second]
        history = History(named(story), first)
        clock = history.world.clock
        return history, Host(first, clock), Host(second, Wrong(clock, ahead))

    @staticmethod
    def reached(
        history: History, reach: Callable[[RequiredPorts, str], Authority]
    ) -> None:
        history.world._reach = reach
        history.world.restart()

    def close(self) -> None:
        for each in self._opened:
            each.close()


@pytest.fixture(params=SHARED)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = Site(request.param, tmp_path)
    yield made
    made.close()


def test_doctor_warns_where_clocks_are_further_apart_than_that() -> None:
    assert TOGETHER == database._APART_SECONDS


@pytest.mark.parametrize("ahead", APART)
@pytest.mark.parametrize("story", STORIES)
def test_a_visit_that_both_take_part_in_is_done_or_refused_and_true(
    site: Site, story: str, ahead: float
) -> None:
    history = site.visited(story, ahead)
    result = history.attempt()
    assert result is not None
    history.look()
    history.assert_invariants(result)
    if abs(ahead) <= TOGETHER:
        assert result.outcome == Outcome.DONE
    Site.reached(history, LocalAuthority)
    history.come_home()
    assert history.is_in_step()
    history.assert_invariants(None)


@pytest.mark.parametrize("ahead", [600.0, 3600.0])
def test_who_is_ahead_takes_nothing_from_a_visit_at_another_host(
    site: Site, ahead: float
) -> None:
    """It tidies up between any two steps: what has ended by its own clock is old."""
    history, right, wrong = site.hosts("change", ahead)

    class TidiedUp:
        def __init__(self, port: Authority) -> None:
            self._port = port

        def __getattr__(self, name: str) -> Any:
            wrong.registry.read(lambda view: view.count())
            while wrong.registry.idle(wrong.clock.now()):
                pass
            return getattr(self._port, name)

    Site.reached(
        history,
        lambda parts, at: cast("Authority", TidiedUp(right.authority(parts, at))),
    )
    result = history.attempt()
    assert result is not None
    assert result.outcome == Outcome.DONE
    history.assert_invariants(result)


@pytest.mark.parametrize("ahead", [-TOGETHER, TOGETHER])
def test_a_clone_at_another_host_ends_nothing(site: Site, ahead: float) -> None:
    """Its name is all it has: the visit at the first host goes on, and is done."""
    history, right, wrong = site.hosts("change", ahead)
    Site.reached(history, right.authority)
    clone = OpenRequest(
        card=history.holder.made.identity.key, seen=history.seen(LIMITS)
    )
    looked: list[Phase] = []

    class LookedAt:
        """An authority at whose other host the clone is seen after each call."""

        def __init__(self, parts: RequiredPorts, port: Authority) -> None:
            self._annex, self._port = wrong.authority(parts, "annex"), port

        def __getattr__(self, name: str) -> Any:
            def call(*given: Any, **more: Any) -> Any:
                try:
                    return getattr(self._port, name)(*given, **more)
                finally:
                    live = right.registry.read(
                        lambda it: it.live_operations(history.holder.credential)
                    )
                    if any(each.phase in CARD for each in live):
                        looked.append(live[0].phase)
                        self._annex.open(clone)

            return call

    Site.reached(
        history,
        lambda parts, at: cast(
            "Authority", LookedAt(parts, right.authority(parts, at))
        ),
    )
    result = history.attempt()
    assert looked
    assert result is not None
    assert result.outcome == Outcome.DONE
    history.assert_invariants(result)


@pytest.mark.parametrize("ahead", APART)
def test_a_look_at_the_other_host_during_the_write_leaves_what_is_true(
    site: Site, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, right, wrong = site.hosts("change", ahead)
    Site.reached(history, right.authority)
    looked: list[object] = []
    own = SimulatedDc.set_password

    def looking(*given: Any, **more: Any) -> None:
        monkeypatch.undo()
        Site.reached(history, wrong.authority)
        looked.append(history.home_screen())
        own(*given, **more)

    monkeypatch.setattr(SimulatedDc, "set_password", looking)
    result = history.attempt()
    assert looked
    Site.reached(history, right.authority)
    history.assert_invariants(result)
    history.come_home()
    assert history.is_in_step()
    history.assert_invariants(None)


def test_checkpoints_that_both_sign_in_turn_are_in_order_and_vouch_for_it_all(
    site: Site, tmp_path: Path
) -> None:
    history, right, wrong = site.hosts("change", 0.0)
    vault = Vault(KeyRing({"k": bytes(32)}), "here")
    signing = [
        CheckpointedRegistry(
            host.registry,
            vault=vault,
            clock=host.clock,
            station=name,
            mark=HighWaterMark(tmp_path / f"{name}.seen", "here"),
        )
        for name, host in (("right", right), ("wrong", wrong))
    ]
    assert isinstance(wrong.clock, Wrong)
    for ahead in (*APART, -86_400.0, 0.0):
        wrong.clock.ahead = ahead
        for each, host in zip(signing, (right, wrong), strict=True):
            at = host.clock.now()
            each.run(lambda tx, at=at: tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            each.checkpoint()
            history.world.clock.sleep(61.0)
            for looking in signing:
                looking.idle(host.clock.now())
    links = list(right.registry.audit_events(lane=LANE))
    read = [SignedCheckpoint.of(link).checkpoint for link in links]
    assert [each.number for each in read] == list(range(1, len(links) + 1))
    assert len(links) == 2 * (len(APART) + 2), "nobody signs what the other has signed"
    verified = verify(evidence_of(right.registry), keys=vault.note_keys())
    assert verified.is_sound
    assert verified.is_anchored
    assert damage(verified) is None
