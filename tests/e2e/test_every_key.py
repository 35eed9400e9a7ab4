"""Every screen and every key on a real terminal: what is typed is what counts.

`make test` goes to every place, leans on Enter there, and presses each key somewhere;
`make matrix` presses every key at every place, in every rhythm.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab.matrix import value_fields, values
from lab.matrix.cells import Pool, Run, sample
from lab.matrix.keys import keys
from lab.matrix.oracle import Rhythm
from lab.matrix.places import places

PLACES = list(enumerate(places()))
FIELDS = list(enumerate(value_fields.fields()))
SHARES = 8
FIELD_SHARE = 240
TELLING = [key for key in keys() if key.name in ("'A' as such", "'ü' as such")]
"""What a field of digits, and what any secret field, does not take."""

pytestmark = [pytest.mark.long]


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
        faults += map(str, Run(place, pool).go(cells))
    assert faults == []


@pytest.mark.parametrize(("at", "field"), FIELDS, ids=[it.name for _, it in FIELDS])
def test_what_is_used_is_what_was_typed(
    at: int, field: values.Field, pool: Pool
) -> None:
    share = [*keys()[at * 3 % FIELD_SHARE :: FIELD_SHARE], TELLING[at % len(TELLING)]]
    cells = [(key, Rhythm.FIRST) for key in share]
    assert list(values.run(field, cells, pool)) == []
