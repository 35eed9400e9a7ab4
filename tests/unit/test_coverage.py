"""What checkpoints cover, beside a list of all of them that is looked through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.audit import Head
from storage.checkpoints import Checkpoint
from storage.coverage import UNCOVERED, Coverage

LANES = ("a", "b", "c")
LINKS = range(1, 12)


def link(lane: str, seq: int) -> Head:
    return Head(seq, f"{ord(lane):02x}{seq:062x}")


def checkpoint(number: int, ends: dict[str, int]) -> Checkpoint:
    heads = {lane: link(lane, seq) for lane, seq in ends.items()}
    return Checkpoint(origin="o", number=number, at=0.0, before="", heads=heads)


def grown(steps: list[tuple[int, int, int]]) -> list[dict[str, int]]:
    """Where the chains end, each time further on or as it was; 0: not begun."""
    ends, all_ends = dict.fromkeys(LANES, 0), []
    for step in steps:
        ends = {lane: ends[lane] + by for lane, by in zip(LANES, step, strict=True)}
        all_ends.append({lane: seq for lane, seq in ends.items() if seq})
    return all_ends


STEPS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=6)


def covered(every: list[dict[str, int]], first: int = 1) -> Coverage:
    coverage = Coverage()
    for number, ends in enumerate(every, first):
        assert coverage.add(checkpoint(number, ends)) == ""
    return coverage


@given(STEPS, st.integers(1, 9))
def test_what_is_covered_is_what_a_list_of_them_says(
    steps: list[tuple[int, int, int]], first: int
) -> None:
    every = grown(steps)
    coverage = covered(every, first)
    last = every[-1] if every else {}
    assert coverage.last() == last
    for lane, seq in product(LANES, LINKS):
        reached = [at for at, ends in enumerate(every) if ends.get(lane, 0) >= seq]
        named = sorted({ends[lane] for ends in every if lane in ends})
        further = [each for each in named if each >= seq]
        number = first + reached[0] if reached else UNCOVERED
        assert coverage(lane, seq) == number
        if further:
            assert coverage.next_named(lane, seq) == (
                further[0],
                link(lane, further[0]).hash,
            )
            said = link(lane, seq).hash if seq in named else ""
            assert coverage.named(lane, seq) == said
        else:
            assert coverage.next_named(lane, seq) == (UNCOVERED, "")
            assert coverage.named(lane, seq) is None


BEFORE = [{"a": 2}, {"a": 4, "b": 1}]


def bad() -> Iterator[tuple[dict[str, Head], str]]:
    """What the next one takes back of what those before it named, and of which."""
    yield {"a": link("a", 4)}, "b"
    yield {"b": link("b", 1)}, "a"
    yield {"a": link("a", 3), "b": link("b", 1)}, "a"
    yield {"a": link("a", 2), "b": link("b", 1)}, "a"
    yield {"a": link("a", 9), "b": Head(0, "0" * 64)}, "b"
    yield {"a": Head(4, "f" * 64), "b": link("b", 1)}, "a"
    yield {"a": link("a", 4), "b": Head(1, "f" * 64)}, "b"


@pytest.mark.parametrize(("heads", "lane"), list(bad()))
def test_who_takes_back_what_was_named_is_told_of_which_chain(
    heads: dict[str, Head], lane: str
) -> None:
    next_one = Checkpoint(origin="o", number=3, at=0.0, before="", heads=heads)
    assert covered(BEFORE).add(next_one) == lane


def test_a_chain_that_rests_costs_nothing_more() -> None:
    """Ten years have a million checkpoints, and most chains rest at most of them."""
    first = [{"a": 5, "b": 1}]
    coverage = covered(first + [{"a": 7, "b": number} for number in range(1, 50)])
    resting = coverage._lanes["a"]
    assert (len(resting.seqs), len(resting.numbers), len(resting.hashes)) == (2, 2, 64)
