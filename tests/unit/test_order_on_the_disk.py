"""What is said to be there is on the disk: each step before the one that rests on it.

A power cut between two of them leaves an empty file, or none, under a name that counts.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.in_order import DURABLE, NAMED, PLACED, REMOVED, WRITTEN, InOrder
from lab.registries import draft

from storage import archive
from storage.errors import ArchiveNotWritten
from storage.journal import Journal
from storage.tinydb_registry import TinyDbRegistry

COMMIT = [WRITTEN, DURABLE]
EVENTS = 6


@pytest.fixture
def ops() -> InOrder:
    return InOrder()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


def filled(path: Path, ops: InOrder) -> TinyDbRegistry:
    """Return a registry of which three times two events are to be sealed."""
    registry = TinyDbRegistry(path, ops=ops, sealing={"living": 1, "batch": 2})
    for number in range(EVENTS):
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    ops.done.clear()
    return registry


def put(journal: Journal, raw: bytes) -> None:
    with journal.transaction():
        journal.put("t", "k", raw)


def test_a_new_registry_and_its_commits(path: Path, ops: InOrder) -> None:
    journal = Journal(path, ops=ops)
    assert ops.done == [*COMMIT, NAMED]
    ops.done.clear()
    put(journal, b"1")
    assert ops.done == COMMIT
    journal.close()


def test_a_compaction(path: Path, ops: InOrder) -> None:
    journal = Journal(path, ops=ops)
    put(journal, b"1")
    put(journal, b"2")
    ops.done.clear()
    journal.compact()
    begun, living, noted = [WRITTEN], [WRITTEN, DURABLE], [WRITTEN, DURABLE]
    assert ops.done == [*begun, *living, *noted, PLACED, NAMED]
    journal.close()


def test_sealing(path: Path, ops: InOrder) -> None:
    """The folder's own name, too: it may be the first segment that is in it."""
    registry = filled(path, ops)
    assert registry.evidence.seal()
    assert ops.done == [WRITTEN, DURABLE, PLACED, NAMED, NAMED, *COMMIT]
    registry.close()


def test_moving_to_an_archive(path: Path, ops: InOrder, tmp_path: Path) -> None:
    registry = filled(path, ops)
    while registry.evidence.seal():
        pass
    ops.done.clear()
    moving = archive.move(
        registry,
        registry.evidence,
        ops,
        tmp_path / "away" / "of-k1",
        before=4.0,
        draft=draft(9.0),
    )
    assert len(list(moving)) == 2
    tidied, copied = [NAMED, NAMED], [WRITTEN, DURABLE, PLACED]
    gone = [REMOVED, REMOVED, NAMED]
    assert ops.done == [*tidied, *copied, *copied, NAMED, NAMED, *COMMIT, *gone]
    registry.close()


def test_what_was_put_back_is_moved_again(
    path: Path, ops: InOrder, tmp_path: Path
) -> None:
    """It may be the only one: the archive may have been lost meanwhile."""
    registry, away = filled(path, ops), tmp_path / "away"
    while registry.evidence.seal():
        pass

    def move() -> None:
        for _ in archive.move(
            registry, registry.evidence, ops, away, before=2.0, draft=draft(9.0)
        ):
            pass

    move()
    (segment,) = away.iterdir()
    segment.rename(registry.evidence.folder / segment.name)
    ops.done.clear()
    move()
    copied = [WRITTEN, DURABLE, PLACED, NAMED, NAMED]
    assert ops.done == [*copied, REMOVED, NAMED]
    assert list(away.iterdir()) == [segment]
    registry.close()


class Rotten(InOrder):
    """A disk that keeps other bytes than it was given, and does not say so."""

    def write(self, handle: int, data: bytes) -> None:
        super().write(handle, data[:-1] + b"?")


def test_what_an_archive_does_not_give_back_as_it_was_stays_here(
    path: Path, ops: InOrder, tmp_path: Path
) -> None:
    registry, away = filled(path, ops), tmp_path / "away"
    while registry.evidence.seal():
        pass
    before = {each: each.read_bytes() for each in registry.evidence.folder.iterdir()}
    moving = archive.move(
        registry, registry.evidence, Rotten(), away, before=4.0, draft=draft(9.0)
    )
    with pytest.raises(ArchiveNotWritten):
        list(moving)
    assert [e.at for e in registry.audit_events()] == list(map(float, range(EVENTS)))
    for file, data in before.items():
        assert file.suffix != ".segment" or file.read_bytes() == data
    assert not list(away.glob("*.segment"))
    registry.close()
