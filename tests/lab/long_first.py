"""What takes longest is begun first: no worker is left alone with it at the end."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deal the files marked `long` to the workers; each begins with its own.

    Every worker is given a part of the list, one after the other and equally long
    (pytest-xdist's `worksteal`), and comes here with the same list as the others.
    """
    shared: dict[str, object] = getattr(config, "workerinput", {})
    items[:] = dealt(items, int(str(shared.get("workercount", 1))))


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the items in the order in which so many workers begin with long ones."""
    files: dict[object, list[pytest.Item]] = {}
    others = []
    for item in items:
        if item.get_closest_marker("long") is None:
            others.append(item)
        else:
            files.setdefault(item.path, []).append(item)
    hands: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, of_file in enumerate(files.values()):
        hands[number % workers] += of_file
    order: list[pytest.Item] = []
    for number, hand in enumerate(hands):
        part = (len(items) - len(order)) // (workers - number)
        filled = max(0, part - len(hand))
        order += [*hand, *others[:filled]]
        del others[:filled]
    return [*order, *others]
