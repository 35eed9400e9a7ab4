"""What is changed and what is the same program fits the tree.

Whether the tests see each mutant is what `make mutants` finds out.
"""

from __future__ import annotations

import pytest

from mutants.rooms import (
    ROOT,
    Equivalent,
    Room,
    all_equivalents,
    all_rooms,
    shape,
)

by_room = pytest.mark.parametrize("room", all_rooms(), ids=lambda room: room.name)
by_equivalent = pytest.mark.parametrize(
    "mutant", all_equivalents(), ids=lambda mutant: f"{mutant.module}: {mutant.new}"
)


@by_room
def test_a_room_has_modules_and_tests_that_exist(room: Room) -> None:
    assert all((ROOT / each).exists() for each in room.modules)
    assert room.files()
    for test in room.seen_by:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text("utf-8")
        assert not name or f"def {name.partition('[')[0]}(" in text


@by_equivalent
def test_what_is_the_same_program_still_stands_there(mutant: Equivalent) -> None:
    """Where the code has changed, somebody has to think about it once more."""
    sound = (ROOT / mutant.module).read_text("utf-8")
    assert shape(mutant.changed(sound)) != shape(sound)
    assert mutant.why.endswith(".")
    assert any(mutant.module in room.files() for room in all_rooms())
