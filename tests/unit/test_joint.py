"""A compacted journal says of which journals it is what lived: in one last note."""

from __future__ import annotations

import msgspec
import pytest

from storage import groups, joint
from storage.groups import START, Change

BASE = 4_000
ENDS: list[joint.End] = [[7, "0123456789abcdef"], [12, "fedcba9876543210"]]
DOCUMENT = Change("credential", "c1", b'{"note":"P\\tends\\t"}')


def note() -> Change:
    return joint.noted(ENDS[:1], ENDS[1])


def journal(*contents: list[Change]) -> bytes:
    """Return the end of a journal with these groups."""
    data, before = b"", START
    for seq, changes in enumerate(contents, 1):
        written, before = groups.write(seq, changes, before)
        data += written
    return data


def test_the_last_note_is_found_wherever_it_stands() -> None:
    first = journal([DOCUMENT], [joint.noted([], ENDS[0])])
    data = journal([DOCUMENT], [joint.noted([], ENDS[0])], [note()], [DOCUMENT])
    found = joint.found(data, BASE)
    assert found is not None
    group, change = found
    assert (group.seq, group.begin) == (3, BASE + len(first))
    assert joint.ends(change.raw) == ENDS


def test_a_note_that_is_cut_is_none() -> None:
    data = journal([DOCUMENT], [note()])
    for end in range(len(data)):
        assert joint.found(data[:end], BASE) is None


@pytest.mark.parametrize("changes", [[note(), DOCUMENT], [DOCUMENT, note()]])
def test_a_note_among_other_changes_is_none(changes: list[Change]) -> None:
    assert joint.found(journal(changes), BASE) is None


def test_what_has_no_note_has_no_ends() -> None:
    assert joint.found(journal([DOCUMENT]), BASE) is None
    assert joint.found(b"", BASE) is None
    assert joint.ends(None) == []


@pytest.mark.parametrize("raw", [b"[1]", b"[[1.5]]", b'{"1":"a"}', b"[[null]]"])
def test_a_note_that_says_something_else_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        joint.ends(raw)


def test_a_note_does_not_grow_for_ever_and_keeps_the_newest() -> None:
    known: list[joint.End] = []
    for seq in range(1, 1001):
        known = joint.ends(joint.noted(known, [seq, START]).raw)
    assert len(known) < 500
    assert known == [[seq, START] for seq in range(1001 - len(known), 1001)]
