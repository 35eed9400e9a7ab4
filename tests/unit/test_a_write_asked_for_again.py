"""A write asked for again: with another key, for another value, in the middle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace as remade
from typing import Any, NoReturn, cast

import pytest
from lab.domain.other_hands import Answer, Meddled, Moment
from lab.histories import NEW, History
from lab.liar import Liar, named

from kiosk.authority.errors import Refused
from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Verdict, WriteVerdict
from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import Unreachable
from kiosk.directory.ports import Directory
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain_faults import AnyFault, BindSays, Frozen, WriteNo
from kiosk.simulation.interference import ProcessDied
from statemachine.operation import Kind, Phase
from storage.registry import Registry

SOON = 0.5
"""Seconds within which it is known that a write has ended."""


class Asked:
    """A change whose write is about to be asked for."""

    def __init__(self) -> None:
        self.history = History(named("change"))
        self.liar = Liar(self.history, Kind.CHANGE)
        self.sealed = self.liar.sealed()
        self.liar.authorise(self.sealed)
        self.liar.port.card_changing(self.liar.id)

    def ask(
        self,
        key: str,
        sealed: bytes | None = None,
        parts: RequiredPorts | None = None,
    ) -> WriteVerdict:
        port = LocalAuthority(parts or self.history.world.parts, "kiosk-1", key)
        return port.write(self.liar.id, sealed or self.sealed)

    def dies_once_sent(self, patch: pytest.MonkeyPatch) -> None:
        run, left = self.history.world.registry.run, [3]

        def commit(fn: Callable[..., object]) -> object:
            left[0] -= 1
            if not left[0]:
                raise ProcessDied
            return run(fn)

        patch.setattr(self.history.world.registry, "run", commit)
        with pytest.raises(ProcessDied):
            self.ask("first")
        patch.undo()


@pytest.fixture(name="asked")
def _asked() -> Asked:
    return Asked()


ENDS: dict[str, tuple[AnyFault | None, Phase]] = {
    "done": (None, Phase.DONE),
    "refused": (WriteNo(why="no_right"), Phase.ROLLING_BACK),
    "no answer": (Frozen(), Phase.OUT_OF_STEP),
    "does not bind": (BindSays(), Phase.OUT_OF_STEP),
}


@pytest.mark.parametrize("end", ENDS)
def test_who_asks_with_another_key_hears_what_came_of_it(
    asked: Asked, end: str
) -> None:
    fault, phase = ENDS[end]
    if fault is not None:
        asked.history.domain.fail(fault)
    first = asked.ask("first")
    writes = list(asked.history.domain.writes)
    again = asked.ask("second")
    assert asked.liar.operation.phase is phase
    assert again.verdict is first.verdict
    assert again.roll_back is first.roll_back is (phase is Phase.ROLLING_BACK)
    assert asked.history.domain.writes == writes
    assert again.dc == asked.liar.operation.dc != ""
    if first.reason is None:
        assert again.reason is None
    else:
        assert again.reason is not None
        assert again.reason.key == first.reason.key


def test_when_the_card_has_gone_back_it_does_not_go_back_again(asked: Asked) -> None:
    asked.history.domain.fail(WriteNo(why="no_right"))
    assert asked.ask("first").roll_back
    asked.liar.port.rolled_back(asked.liar.id, restored=True)
    again = asked.ask("second")
    assert again.verdict is Verdict.REFUSED
    assert not again.roll_back


def test_another_value_is_not_told_that_it_was_written(asked: Asked) -> None:
    """The write is known by what was signed for, not by its operation alone."""
    assert asked.ask("first").verdict is Verdict.DONE
    with pytest.raises(Refused) as why:
        asked.ask("second", asked.liar.sealed())
    assert why.value.reason.key == "stop.operation_ended"
    assert len(asked.history.domain.writes) == 1


def test_what_ends_meanwhile_is_known_soon_and_as_it_was_answered(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends it is on another thread; what came of it is what was answered there."""
    world = asked.history.world
    asked.history.domain.fail(WriteNo(why="policy"))
    sending, may_end = threading.Event(), threading.Event()
    send = SimulatedDc.set_password

    def slow(dc: SimulatedDc, *args: Any, **named: Any) -> None:
        sending.set()
        assert may_end.wait(10.0)
        send(dc, *args, **named)

    monkeypatch.setattr(SimulatedDc, "set_password", slow)
    first: list[WriteVerdict] = []
    thread = threading.Thread(target=lambda: first.append(asked.ask("first")))
    thread.start()
    assert sending.wait(10.0)
    waits: list[float] = []

    class Waiting(ManualClock):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)
            may_end.set()
            thread.join(10.0)

    parts = remade(world.parts, clock=Waiting(world.clock.now()))
    again = asked.ask("first", parts=parts)
    assert first == [again]
    assert again.may_choose_another, "only what was kept says so"
    assert len(waits) == 1
    assert 0 < waits[0] <= SOON


def test_who_sent_it_is_gone_and_nobody_is_kept_waiting_longer_than_it_may_last(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.dies_once_sent(monkeypatch)
    clock = asked.history.world.clock
    began = clock.monotonic()
    again = asked.ask("second")
    assert again.verdict is Verdict.OUT_OF_STEP
    waited = clock.monotonic() - began
    assert 0 < waited <= asked.history.world.parts.write_deadline + SOON


# --- while the first is being sent ----------------------------------------------


class Parked:
    """Whoever comes here waits until the same write is being sent elsewhere."""

    def __init__(self) -> None:
        self.came, self.may_go_on = threading.Event(), threading.Event()

    def park(self) -> None:
        self.came.set()
        assert self.may_go_on.wait(10.0)


class OutOfReach:
    """A directory that takes its time, and then cannot be reached."""

    def __init__(self, directory: Directory, parked: Parked) -> None:
        self._directory, self._parked = directory, parked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    def connect(self, dc: str | None = None) -> NoReturn:
        self._parked.park()
        raise Unreachable(dcs="dc2", reason="timeout")


class StandsStill:
    """A registry whose caller stands still once it has judged the write."""

    def __init__(self, registry: Registry, parked: Parked) -> None:
        self._registry, self._parked, self._runs = registry, parked, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def run(self, fn: Callable[..., object]) -> object:
        self._runs += 1
        if self._runs == 3:  # after what is wanted, and the mark
            self._parked.park()
        return self._registry.run(fn)


def out_of_reach(parts: RequiredPorts, parked: Parked) -> RequiredPorts:
    unreachable = OutOfReach(parts.directory, parked)
    return remade(parts, directory=cast("Directory", unreachable))


def late_by_its_clock(parts: RequiredPorts, parked: Parked) -> RequiredPorts:
    clock = ManualClock(parts.clock.now() + 3600.0)
    registry = cast("Registry", StandsStill(parts.registry, parked))
    return remade(parts, clock=clock, registry=registry)


@pytest.mark.parametrize("host", [out_of_reach, late_by_its_clock])
@pytest.mark.parametrize("key", ["first", "second"])
@pytest.mark.parametrize("answer", [Answer.COMES, Answer.LOST])
def test_who_can_send_nothing_takes_back_nothing_that_another_sends(
    asked: Asked,
    host: Callable[[RequiredPorts, Parked], RequiredPorts],
    key: str,
    answer: Answer,
) -> None:
    """Another host of the authority, or another thread. The card goes back only where
    the directory has certainly not taken the new value.
    """
    parked, said = Parked(), list[WriteVerdict]()
    parts = asked.history.world.parts
    other = host(parts, parked)
    beside = threading.Thread(target=lambda: said.append(asked.ask(key, parts=other)))
    beside.start()
    assert parked.came.wait(10.0)

    def go_on() -> None:
        parked.may_go_on.set()
        beside.join(0.2)

    sending = Meddled(parts.directory, Moment.UNANSWERED, go_on, answer)
    first = asked.ask("first", parts=remade(parts, directory=sending))
    beside.join(10.0)
    with Secret(NEW) as new:
        assert asked.history.domain.binds(asked.history.holder.account_guid, new)
    assert len(said) == 1
    for each in (first, *said):
        assert not each.roll_back
        assert each.verdict in (Verdict.DONE, Verdict.OUT_OF_STEP)
    assert asked.liar.operation.phase in (Phase.DONE, Phase.OUT_OF_STEP)
