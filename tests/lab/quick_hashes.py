"""Hashes of codes and earlier PINs that are slow on purpose are quick in this process.

Tests make thousands of them. The program's own processes use what it ships with,
and so does a test that asks about just that.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.authority.rules import pin_history
from kiosk.pin import codes

SHIPPED_FOR_CODES = codes.COST
SHIPPED_FOR_PINS = pin_history.COST
_QUICK = 2


def pytest_configure() -> None:
    """Be quick from the start, in each worker."""
    _cost(_QUICK, _QUICK)


@pytest.fixture
def hashes_as_shipped() -> Iterator[None]:
    """Hashes are as slow as the program's own."""
    _cost(SHIPPED_FOR_CODES, SHIPPED_FOR_PINS)
    yield
    _cost(_QUICK, _QUICK)


def _cost(for_codes: int, for_pins: int) -> None:
    codes.COST, pin_history.COST = for_codes, for_pins
