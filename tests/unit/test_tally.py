"""What waits in lists that nothing is kept for is counted, and nobody waits for it."""

from __future__ import annotations

import pytest

from kiosk.authority.office import tally
from kiosk.authority.office.list_values import Worklist
from kiosk.authority.office.tally import Tally
from kiosk.simulation.demo import Demo
from kiosk.simulation.world import World
from storage.errors import RegistryError


@pytest.fixture
def world() -> World:
    return Demo().world


def keyless(world: World, name: str) -> None:
    from lab.matrix.kiosk_worlds import set_state

    set_state(world, name, authentication_key=None)


def test_a_small_registry_is_counted_at_once(world: World) -> None:
    keyless(world, "everyday")
    counts = Tally(world.registry).counts()
    assert counts == {Worklist.KEYLESS: 1, Worklist.ROTATION_DUE: 0}


def test_a_large_one_is_counted_a_part_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "PART", 1)
    keyless(world, "everyday")
    counting = Tally(world.registry)
    assert counting.counts() == {}, "half a round is no count"
    told = [counting.counts() for _ in range(40)]
    assert told[-1][Worklist.KEYLESS] == 1


def test_a_round_that_broke_off_is_begun_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyless(world, "everyday")
    counting = Tally(world.registry)
    counting.counts()
    read = world.registry.read

    def away(do: object) -> object:
        raise RegistryError

    monkeypatch.setattr(world.registry, "read", away)
    with pytest.raises(RegistryError):
        counting.counts()
    monkeypatch.setattr(world.registry, "read", read)
    assert counting.counts()[Worklist.KEYLESS] == 1
