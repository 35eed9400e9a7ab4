"""The threads that work for stations: what waits for them, and what can wait."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import cast

import pytest

from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service import process
from kiosk.authority.service.app import Service
from kiosk.authority.service.threads import Threads
from kiosk.core.clock import SystemClock


class Registry:
    """One that is open until it is closed, and now and then fails to be tidied."""

    def __init__(self) -> None:
        self.is_open = True
        self.asked = 0
        self.was_asked_again = threading.Event()

    def idle(self, _: float) -> bool:
        self.asked += 1
        if self.asked == 1:
            raise LookupError("a record that nobody can read")
        self.was_asked_again.set()
        return False

    def close(self) -> None:
        self.is_open = False


def parts_of(registry: Registry) -> RequiredPorts:
    parts = SimpleNamespace(registry=registry, clock=SystemClock())
    return cast(RequiredPorts, parts)


def test_who_waits_for_threads_that_a_reload_leaves_is_answered() -> None:
    registry, go_on = Registry(), threading.Event()
    threads = Threads(lambda: parts_of(registry), count=1, waiting=4)

    async def ask() -> list[object]:
        begun = asyncio.create_task(threads.run(lambda _: go_on.wait(30)))
        waits = asyncio.create_task(threads.run(lambda it: registry.is_open))
        await asyncio.sleep(0)
        assert threads.inside == 2
        left = asyncio.create_task(asyncio.to_thread(threads.close))
        await asyncio.sleep(0.2)
        go_on.set()
        answers = await asyncio.gather(begun, waits, left)
        return list(answers)

    assert asyncio.run(ask()) == [True, True, None]
    assert not registry.is_open


def test_what_can_wait_is_tried_again_whatever_came_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "HOUSEKEEPING_SECONDS", 0.01)
    registry = Registry()
    threads = Threads(lambda: parts_of(registry), count=1, waiting=4)
    service = cast(Service, SimpleNamespace(threads=threads, count=None))

    async def look() -> None:
        tidying = asyncio.create_task(process.tidy(service))
        assert await asyncio.to_thread(registry.was_asked_again.wait, 30)
        assert not tidying.done()
        tidying.cancel()

    asyncio.run(look())
    threads.close()
