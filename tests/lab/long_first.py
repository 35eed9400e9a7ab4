"""What takes longest is begun first, and what is quickest is kept for the end.

No worker is left alone with a long test at the end: what is left then can be shared.
"""

from __future__ import annotations

import pytest

_LAST = 4
"""The quick ones among a quarter of all tests come last."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deal the files marked `long` to the workers; each begins with its own.

    Every worker is given a part of the list, one after the other and equally long
    (pytest-xdist's `worksteal`), and comes here with the same list as the others. Who
    has none left takes from the end of another's part.
    """
    shared: dict[str, object] = getattr(config, "workerinput", {})
    items[:] = dealt(items, int(str(shared.get("workercount", 1))))


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the items in the order in which so many workers begin with long ones."""
    files: dict[object, list[pytest.Item]] = {}
    others: list[pytest.Item] = []
    last: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("long") is not None:
            files.setdefault(item.path, []).append(item)
        elif _is_quick(item) and len(last) < len(items) // _LAST:
            last.append(item)
        else:
            others.append(item)
    hands: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, of_file in enumerate(files.values()):
        hands[number % workers] += of_file
    order: list[pytest.Item] = []
    for number, hand in enumerate(hands):
        left = workers - number
        room = max(0, (len(items) - len(order)) // left - len(hand))
        ends = min(room, len(last) // left)
        order += [*hand, *_taken(others, room - ends), *_taken(last, ends)]
    return [*order, *others, *last]


def _is_quick(item: pytest.Item) -> bool:
    """It asks no server, starts no program, and draws no screen."""
    return "unit" in item.path.parts and item.get_closest_marker("slow") is None


def _taken(items: list[pytest.Item], count: int) -> list[pytest.Item]:
    """Take so many from the front, or what there is."""
    taken = items[:count]
    del items[:count]
    return taken
