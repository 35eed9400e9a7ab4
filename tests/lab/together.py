"""Several threads that do something from the same moment on, a registry for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from storage.registry import Registry

T = TypeVar("T")


def at_once(registries: list[Registry], act: Callable[[Registry, int], T]) -> list[T]:
    """Let each do it on a thread of its own, all from the same moment on."""
    start = threading.Barrier(len(registries))
    results: dict[int, T] = {}

    def go(number: int) -> None:
        start.wait()
        results[number] = act(registries[number], number)

    threads = [
        threading.Thread(target=go, args=(number,)) for number in range(len(registries))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(registries))]
