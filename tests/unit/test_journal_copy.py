"""A journal that is copied or looked at without being opened."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.registries import credential, draft
from msgspec.structs import replace

from storage import journal_copy, journal_lock
from storage.errors import StoreCorrupt, StoreLocked, StoreUnsuitable
from storage.fileops import FileOps
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow


def filled(path: Path) -> TinyDbRegistry:
    registry = TinyDbRegistry(path, sealing={"living": 3, "batch": 4})
    for number in range(12):
        one = credential(f"c{number}", f"card{number}")
        registry.run(lambda tx, one=one: tx.save_credential(one))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        registry.run(lambda tx: tx.audit(draft()))
    return registry


def copied(path: Path) -> bytes:
    target = io.BytesIO()
    journal_copy.copy(FileOps(), path, target, lambda _bytes: None)
    return target.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


@pytest.mark.parametrize("window", [1, 100, 1 << 22])
def test_a_copy_is_the_file_however_little_is_read_at_a_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(journal_copy, "WINDOW", window)
    registry = filled(path)
    assert copied(path) == path.read_bytes()
    registry.compact()
    assert copied(path) == path.read_bytes()
    registry.close()


def test_a_copy_names_the_sealed_evidence_of_its_moment(path: Path) -> None:
    registry = filled(path)
    while registry.evidence.seal():
        pass
    made = journal_copy.copy(FileOps(), path, io.BytesIO(), lambda _bytes: None)
    assert made.segments == registry.evidence.segments()
    assert len(made.segments) > 1
    registry.close()


def test_every_cut_is_copied_to_its_last_whole_group(path: Path) -> None:
    registry = filled(path)
    registry.close()
    data = path.read_bytes()
    first = data.index(b"G 2 ")
    ends = [0]
    for size in range(first, len(data), 7):
        path.write_bytes(data[:size])
        made = copied(path)
        assert data.startswith(made)
        assert len(made) >= ends[-1]
        ends.append(len(made))
    assert len(set(ends)) > 20


def test_what_has_no_group_is_not_copied(path: Path) -> None:
    """It was emptied: its backup would be one of nothing, and pass for a good one."""
    registry = filled(path)
    registry.close()
    data = path.read_bytes()
    for size in range(data.index(b"G 2 ")):
        path.write_bytes(data[:size])
        with pytest.raises(StoreUnsuitable):
            copied(path)


def test_damage_in_the_middle_is_named_and_never_taken_for_a_tail(path: Path) -> None:
    registry = filled(path)
    registry.close()
    data = bytearray(path.read_bytes())
    first = data.index(b"G 2 ")
    for at in range(first, data.index(b"G 3 "), 5):
        harmed = bytearray(data)
        harmed[at] ^= 1
        path.write_bytes(harmed)
        with pytest.raises(StoreCorrupt) as damaged:
            copied(path)
        assert damaged.value.data["offset"] == first


def test_damage_before_more_than_any_tail_is_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_copy, "_LONGEST", 100)
    filled(path).close()
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"G 2 ")] + b"x" * 200)
    with pytest.raises(StoreCorrupt):
        copied(path)


def test_what_is_no_journal_is_not_copied(path: Path) -> None:
    path.write_bytes(b"something else")
    with pytest.raises(StoreUnsuitable):
        copied(path)


def test_a_copy_waits_for_a_commit_and_not_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_lock, "LOCK_SECONDS", 0.0)
    registry = filled(path)
    with registry.db.storage.transaction(), pytest.raises(StoreLocked) as locked:
        copied(path)
    assert locked.value.data == {"path": str(path), "seconds": 0}
    registry.close()


def test_of_a_few_tables_all_that_lives_is_kept(path: Path) -> None:
    registry = filled(path)
    living = registry.db.storage.journal.documents()
    kept = journal_copy.looking_at("credentials", "heads")
    for _ in journal_copy.look(path, kept, lambda _bytes: None):
        pass
    for table, documents in kept.tables.items():
        assert documents == living.get(table, {}), table
    registry.close()


def test_what_was_changed_or_deleted_is_not_found_by_its_mark(path: Path) -> None:
    registry = TinyDbRegistry(path)
    one = registry.run(lambda tx: tx.save_credential(credential("c1", holder="Old")))
    registry.run(lambda tx: tx.save_credential(credential("c2", "b", holder="Old")))
    registry.run(lambda tx: tx.save_credential(replace(one, holder="New")))
    registry.close()
    kept = journal_copy.looking_at()
    whole = journal_copy.look(path, kept, lambda _bytes: None)
    found = journal_copy.last_put(whole, "credentials", b'"holder":"Old"', 9)
    assert [b'"id":"c2"' in raw for raw in found] == [True]


class Waiting(FileOps):
    """Something happens to the file while the lock is waited for."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = [happens]

    def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
        while self._happens:
            self._happens.pop()()
        return super().lock(handle, seconds, is_shared=is_shared)


@pytest.mark.parametrize("dead", [0, 200])
def test_what_a_compaction_has_just_replaced_is_not_copied_for_its_successor(
    path: Path, dead: int
) -> None:
    """One ends where the other does not: half of it would be missing, or no end be."""
    registry = filled(path)
    for number in range(dead):
        one = registry.read(lambda view: view.credential("c1"))
        changed = replace(one, holder=f"Holder {number}")
        registry.run(lambda tx, it=changed: tx.save_credential(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    target = io.BytesIO()
    journal_copy.copy(Waiting(registry.compact), path, target, lambda _bytes: None)
    registry.close()
    assert target.getvalue() == path.read_bytes()


def test_a_copy_of_what_is_cut_meanwhile_ends_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_copy, "WINDOW", 100)
    filled(path).close()

    def cut(_bytes: int) -> None:
        os.truncate(path, 300)

    with pytest.raises(StoreCorrupt):
        journal_copy.copy(FileOps(), path, io.BytesIO(), cut)
