"""How often something happened lately: counted once for each, whoever counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import cast

import pytest
from lab.registries import IMPLEMENTATIONS, SHARED, RunsTwice

from storage.records import Frequency
from storage.registry import FREQUENCIES_KEPT_SECONDS, Registry

_WITHIN, _IDLE = 900.0, 300.0


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield cast("Registry", RunsTwice(made))
    made.close()


def add(
    registry: Registry, now: float, id: str = "card c1", idle: float | None = None
) -> Frequency:
    return registry.run(lambda tx: tx.add_one(id, now=now, within=_WITHIN, idle=idle))


def seen(registry: Registry, id: str = "card c1") -> Frequency | None:
    return registry.read(lambda view: view.frequency(id))


def test_each_is_one_more(registry: Registry) -> None:
    assert seen(registry) is None
    assert add(registry, 1000.0) == Frequency(
        id="card c1", count=1, since=1000.0, at=1000.0
    )
    found = add(registry, 1010.5)
    assert found == Frequency(id="card c1", count=2, since=1000.0, at=1010.5)
    assert seen(registry) == found
    assert add(registry, 1011.0, "card c2").count == 1


def test_it_begins_anew_so_long_after_the_first(registry: Registry) -> None:
    add(registry, 1000.0)
    assert add(registry, 1000.0 + _WITHIN).count == 2
    assert add(registry, 1000.5 + _WITHIN).count == 1


def test_it_begins_anew_so_long_after_the_last(registry: Registry) -> None:
    add(registry, 1000.0, idle=_IDLE)
    assert add(registry, 1000.0 + _IDLE, idle=_IDLE).count == 2
    assert add(registry, 1000.5 + 2 * _IDLE, idle=_IDLE).count == 1


def test_a_clock_that_was_put_back_counts_nothing_for_long(registry: Registry) -> None:
    add(registry, 90_000.0)
    assert add(registry, 1000.0).count == 1


def test_it_is_forgotten_when_that_is_said(registry: Registry) -> None:
    add(registry, 1000.0)
    registry.run(lambda tx: tx.forget_frequency("card c1"))
    registry.run(lambda tx: tx.forget_frequency("nothing"))
    assert seen(registry) is None


def test_it_is_forgotten_after_a_day(registry: Registry) -> None:
    add(registry, 1000.0)
    add(registry, 2000.0, "card c2")
    registry.idle(1500.0 + FREQUENCIES_KEPT_SECONDS)
    assert seen(registry) is None
    assert seen(registry, "card c2") is not None


def test_what_is_given_up_is_not_counted(registry: Registry) -> None:
    def give_up(tx: object) -> None:
        tx.add_one("card c1", now=1000.0, within=_WITHIN)  # type: ignore[attr-defined]  # it is a Tx
        raise LookupError

    with pytest.raises(LookupError):
        registry.run(give_up)
    assert seen(registry) is None


@pytest.mark.parametrize("id", ["a\0b", "\ud800"])
def test_what_cannot_be_there_is_not(registry: Registry, id: str) -> None:
    assert seen(registry, id) is None


@pytest.mark.parametrize("kind", SHARED)
def test_several_at_once_are_each_counted(kind: str, tmp_path: Path) -> None:
    IMPLEMENTATIONS[kind](tmp_path).close()
    ready = Barrier(4)

    def many() -> None:
        mine = IMPLEMENTATIONS[kind](tmp_path)
        try:
            ready.wait()
            for each in range(10):
                add(mine, 1000.0 + each)
        finally:
            mine.close()

    threads = [Thread(target=many) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    last = IMPLEMENTATIONS[kind](tmp_path)
    assert (seen(last) or pytest.fail("nothing")).count == 40
    last.close()
