"""Every screen and every key on a real terminal: what is typed is what counts.

`make test` goes to every place, leans on Enter there, and presses each key somewhere;
`make matrix` presses every key at every place, in every rhythm.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from lab.matrix.cells import Pool, Run, sample, whole
from lab.matrix.keys import keys
from lab.matrix.places import places

IS_WHOLE = os.environ.get("MATRIX") == "whole"
FACES = ("kiosk", "plain")
PLACES = [(at, it) for at, it in enumerate(places()) if it.face in FACES]
SHARES = len(PLACES) if IS_WHOLE else 8

pytestmark = pytest.mark.timeout(7200 if IS_WHOLE else 240)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.end()


@pytest.mark.parametrize("share", range(SHARES))
def test_no_key_by_itself_changes_shows_or_ends_anything(
    share: int, pool: Pool
) -> None:
    faults: list[str] = []
    for at, place in PLACES[share::SHARES]:
        cells = whole(keys()) if IS_WHOLE else sample(at, len(places()), keys())
        faults += map(str, Run(place, pool).go(cells))
    assert faults == []
