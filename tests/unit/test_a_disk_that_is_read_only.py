"""A disk that became read-only: what can be read is read, the rest says what it is."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.registries import draft

from kiosk.core import private_files
from storage import archive, audit, segments, torn_tail
from storage.errors import ArchiveNotWritten, StoreFull, StoreLocked
from storage.fileops import FileOps
from storage.journal import Journal
from storage.journal_lock import JournalLock, lock_files
from storage.lock_file import tried
from storage.tinydb_registry import TinyDbRegistry

SEALING = {"living": 4, "batch": 3, "ended": 2}


class ReadOnly(FileOps):
    """Lets nothing be written in a folder."""

    def __init__(self, folder: Path, code: int = errno.EROFS) -> None:
        self._folder, self._code = folder, code

    def _refuse(self, path: Path) -> None:
        if path.is_relative_to(self._folder):
            raise OSError(self._code, os.strerror(self._code), str(path))

    def open(self, path: Path) -> int:
        self._refuse(path)
        return super().open(path)

    def create(self, path: Path) -> int:
        self._refuse(path)
        return super().create(path)

    def remove(self, path: Path) -> None:
        self._refuse(path)
        super().remove(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "here" / "journal"


@pytest.fixture
def no_unlinking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file that is not there cannot be removed either: the disk is asked first."""

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        yield


def filled(path: Path, *, sealed: bool) -> TinyDbRegistry:
    registry = TinyDbRegistry(path, station="k1", sealing=SEALING)
    for number in range(12):
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while sealed and registry.evidence.seal():
        pass
    return registry


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_registry_is_read_and_verified_there(
    path: Path, code: int, *, sealed: bool
) -> None:
    filled(path, sealed=sealed).close()
    before = sorted(path.parent.rglob("*"))
    ops = ReadOnly(path.parent, code)
    registry = TinyDbRegistry(path, station="k1", ops=ops, sealing=SEALING)
    with registry.evidence_at_rest():
        events = list(registry.audit_events())
    assert len(events) == 12
    assert audit.verify(events).is_sound
    assert not any(registry.evidence.examined())
    with pytest.raises(StoreFull):
        registry.run(lambda tx: tx.audit(draft()))
    with pytest.raises(StoreFull):
        registry.compact()
    registry.close()
    made = set(path.parent.rglob("*")) - set(before)
    assert {each.name.partition("-")[0] for each in made} <= {"index.sqlite"}


def test_what_cannot_be_sealed_there_says_why(path: Path) -> None:
    filled(path, sealed=False).close()
    ops = ReadOnly(path.parent)
    registry = TinyDbRegistry(path, station="k1", ops=ops, sealing=SEALING)
    with pytest.raises(StoreFull):
        registry.evidence.seal()
    registry.close()


def test_a_lock_that_can_only_be_read_keeps_others_out_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.journal_lock.LOCK_SECONDS", 0.0)
    journal, ops = Journal(path), ReadOnly(path.parent)
    lock = JournalLock(ops, path)
    with lock.held(), pytest.raises(StoreLocked):
        journal.refresh()
    with journal.locked(), tried(ops, lock_files(path)[0], 0.0) as is_held:
        assert not is_held
    lock.close()
    journal.close()


def test_a_lock_that_is_not_there_and_cannot_be_made_is_named_as_what_it_is(
    path: Path,
) -> None:
    filled(path, sealed=False).close()
    lock_files(path)[0].unlink()
    with pytest.raises(StoreFull) as caught:
        TinyDbRegistry(path, ops=ReadOnly(path.parent))
    assert caught.value.data == {"path": str(path)}


def test_a_folder_that_cannot_be_made_is_named_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFull):
        Journal(tmp_path / "file" / "journal")


def test_what_a_torn_commit_has_used_is_still_said_there(path: Path) -> None:
    registry = filled(path, sealed=False)
    position = registry.db.storage.journal.position
    registry.close()
    aside = torn_tail.place(path, position.seq)
    aside.write_bytes(b"G 13")
    registry = TinyDbRegistry(path, ops=ReadOnly(path.parent))
    assert registry.recovered() == str(aside)
    assert len(list(registry.audit_events())) == 12
    registry.close()
    registry = TinyDbRegistry(path, station="k1")
    kinds = [event.kind for event in registry.audit_events()]
    assert kinds[-1] == "registry.recovered"
    registry.close()


@pytest.mark.usefixtures("no_unlinking")
def test_an_archive_there_is_named_and_why(path: Path, tmp_path: Path) -> None:
    registry = filled(path, sealed=True)
    away = tmp_path / "away"
    away.mkdir()
    moved = archive.move(
        registry, registry.evidence, ReadOnly(away), away, before=99.0, draft=draft()
    )
    with pytest.raises(ArchiveNotWritten) as caught:
        list(moved)
    assert caught.value.data == {
        "path": str(away / "00000001.segment"),
        "reason": "Read-only file system",
    }
    registry.close()


@pytest.mark.usefixtures("no_unlinking")
def test_evidence_that_cannot_be_sealed_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFull):
        segments.seal(ReadOnly(tmp_path), tmp_path / "evidence", 1, "", [])


def test_a_compaction_that_is_given_up_there_says_nothing(path: Path) -> None:
    class LaterReadOnly(ReadOnly):
        is_so = False

        def _refuse(self, path: Path) -> None:
            if self.is_so:
                super()._refuse(path)

    ops = LaterReadOnly(path.parent)
    registry = TinyDbRegistry(path, ops=ops)

    def becomes_read_only() -> None:
        ops.is_so = True
        raise KeyboardInterrupt

    registry.run(lambda tx: tx.audit(draft()))
    with pytest.raises(KeyboardInterrupt):
        registry.compact(becomes_read_only)
    registry.close()


@pytest.mark.usefixtures("no_unlinking")
def test_files_that_cannot_be_removed_there_hide_nothing(tmp_path: Path) -> None:
    class Ended(Exception):
        pass

    def begin_two() -> None:
        with private_files.all_or_none() as written:
            written.append(tmp_path / "one")
            with private_files.created(tmp_path / "two"):
                raise Ended

    with pytest.raises(Ended):
        begin_two()
