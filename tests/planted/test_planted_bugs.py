"""What is planted fits the tree: each bug has its one place, its invariant, its tests.

Whether the tests see it is what `make planted` finds out.
"""

from __future__ import annotations

import ast

import pytest

from planted.bugs import ROOT, Bug, all_bugs

INVARIANTS = {"I1", "I2", "I3", "I4", "I5", "I6", "I7"}
BUGS = all_bugs()
AT_LEAST = 120
by_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


@by_bug
def test_a_bug_has_one_place_and_is_a_program_still(bug: Bug) -> None:
    sound = (ROOT / bug.place).read_text("utf-8")
    wrong = bug.planted_in(sound)
    assert ast.dump(ast.parse(wrong)) != ast.dump(ast.parse(sound))


@by_bug
def test_a_bug_names_what_it_breaks_and_tests_that_exist(bug: Bug) -> None:
    assert bug.breaks in INVARIANTS
    for test in bug.seen_by:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text("utf-8")
        assert not name or f"def {name.partition('[')[0]}(" in text


def test_every_bug_is_another_and_every_invariant_is_broken() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert {bug.breaks for bug in BUGS} == INVARIANTS
    assert len(BUGS) >= AT_LEAST
