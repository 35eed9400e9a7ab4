"""Every screen and every key on a real terminal: what is typed is what counts.

`make test` goes to every place, leans on Enter there, and presses each key somewhere;
`make matrix` presses every key at every place, in every rhythm.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from lab.matrix import value_fields, values
from lab.matrix.cells import Pool, Run, sample, whole
from lab.matrix.keys import keys
from lab.matrix.oracle import Rhythm
from lab.matrix.places import places

EVERY = int(os.environ.get("MATRIX", "0"))
IS_WHOLE = bool(EVERY)
"""`make matrix`: each EVERYth key at each place."""
PLACES = list(enumerate(places()))
FIELDS = list(enumerate(value_fields.fields()))
SHARES = len(PLACES) if IS_WHOLE else 8
FIELD_SHARE = EVERY or 120
TELLING = [key for key in keys() if key.name in ("'A' as such", "'ü' as such")]
"""What a field of digits, and what any secret field, does not take."""

pytestmark = pytest.mark.timeout(7200 if IS_WHOLE else 300)


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
        cells = sample(at, len(PLACES), keys())
        if IS_WHOLE:
            cells = whole(keys()[at % EVERY :: EVERY])
        faults += map(str, Run(place, pool).go(cells))
    assert faults == []


@pytest.mark.parametrize(("at", "field"), FIELDS, ids=[it.name for _, it in FIELDS])
def test_what_is_used_is_what_was_typed(
    at: int, field: values.Field, pool: Pool
) -> None:
    share = [*keys()[at * 3 % FIELD_SHARE :: FIELD_SHARE], TELLING[at % len(TELLING)]]
    rhythms = list(Rhythm) if IS_WHOLE else [Rhythm.FIRST]
    cells = [(key, rhythm) for key in share for rhythm in rhythms]
    assert list(values.run(field, cells, pool)) == []
