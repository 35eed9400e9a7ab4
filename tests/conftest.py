"""Where the laboratory's fixtures come from, and in which order tests are."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

# Screens are drawn as on most terminals, wherever the tests are typed.
os.environ["TERM"] = "xterm-256color"

# Its conftest.py files are plugins of every test, not of tests beside them.
collect_ignore = ["lab"]

pytest_plugins = [
    "lab.at_once",
    "lab.machine.own_network",
    "lab.machine.debian_option",
    "lab.garbage",
    "lab.left_over",
    "lab.log_as_found",
    "lab.long_first",
    "lab.no_deadlines",
    "lab.not_run",
    "lab.machine.swtpm",
    "lab.open_files",
    "lab.cards.conftest",
    "lab.domain.conftest",
    "lab.quick_hashes",
    "lab.servers.conftest",
    "lab.desk.conftest",
]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    items: list[pytest.Item],
) -> Generator[None, None, None]:
    """Let all workers agree on one order: a set has another in each process.

    It is shuffled afterwards, by each in the same way: pytest-randomly wraps this
    hook, and so it is sorted before only if this is wrapped around that.
    """
    items.sort(key=lambda item: item.nodeid)
    return (yield)
