"""A registry that cannot be read for a while: the desk says so and goes on after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from lab.desk.office import PASSWORD, Office

from storage.errors import StoreUnavailable
from storage.memory_registry import MemoryRegistry
from storage.view import View

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("here_and_relayed")


class Unreachable(MemoryRegistry):
    """A registry that can be out of reach."""

    is_away = False

    def read(self, fn: Callable[[View], T]) -> T:
        if self.is_away:
            raise StoreUnavailable(place="db1")
        return super().read(fn)


@pytest.mark.parametrize("does", ["history", "release", "back"])
def test_where_no_page_can_be_read_the_desk_says_so(does: str) -> None:
    """The page that is open cannot be, and neither can the one below it."""
    registry = Unreachable()
    office = Office(registry=registry)
    office.holder("olga")
    office.sign_in("hanna", PASSWORD)
    assert office.open("olga").name == "credential"
    registry.is_away = True
    page = office.back() if does == "back" else office.choose(does)
    assert page.name.startswith("sign_in")
    assert office.notice == "registry.unavailable"
    registry.is_away = False
    office.sign_in("hanna", PASSWORD)
    assert office.page.name == "menu"
