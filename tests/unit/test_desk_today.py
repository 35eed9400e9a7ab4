"""What "today" means at the desk, on the days when clocks change, too."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from kiosk.authority.office.listing import midnight

ZONE = "Europe/Vienna"


@pytest.fixture(autouse=True)
def _vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", ZONE)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25), (2026, 11, 28)])
@pytest.mark.parametrize("hour", [0, 1, 4, 12, 23])
def test_the_day_begins_at_its_own_midnight(
    day: tuple[int, int, int], hour: int
) -> None:
    at = datetime.datetime(*day, hour, 30, tzinfo=ZoneInfo(ZONE))
    began = datetime.datetime(*day, tzinfo=ZoneInfo(ZONE))
    assert midnight(at.timestamp()) == began.timestamp()
