"""Sealed evidence: sealing that dies anywhere, files that are damaged, no index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.dying import DiesAt, Killed
from lab.in_order import DURABLE, NAMED, PLACED, WRITTEN, InOrder
from lab.open_files import open_files
from lab.registries import draft

from storage import audit
from storage.errors import CopiesUnreadable, EvidenceDamaged, EvidenceMissing
from storage.evidence_index import EvidenceIndex
from storage.fileops import FileOps
from storage.mending import mend
from storage.records import AuditEvent
from storage.segments import Located, LocatedOperation
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

SMALL = {"living": 5, "batch": 4}
EVENTS = 19


def opened(path: Path, ops: FileOps | None = None) -> TinyDbRegistry:
    return TinyDbRegistry(path, ops=ops, sealing=SMALL)


def add(registry: TinyDbRegistry, count: int = EVENTS) -> None:
    for number in range(count):
        event = draft(float(number), f"k{number % 2}", credential=f"c{number % 3}")
        registry.run(lambda tx, event=event: tx.audit(event))  # type: ignore[misc]  # mypy cannot infer a lambda's default


def seal(registry: TinyDbRegistry) -> None:
    while registry.evidence.seal():
        pass


def everything(registry: TinyDbRegistry) -> list[AuditEvent]:
    return sorted(registry.audit_events(), key=lambda event: event.at)


def found(registry: TinyDbRegistry, credential: str = "c1") -> list[float]:
    events = registry.read(lambda view: view.events(credential=credential, limit=99))
    return [event.at for event in events]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


@pytest.fixture
def sealed(path: Path) -> Iterator[TinyDbRegistry]:
    registry = opened(path)
    add(registry)
    seal(registry)
    yield registry
    registry.close()


OF_C1 = [float(number) for number in range(EVENTS) if number % 3 == 1]


def test_what_is_sealed_is_no_longer_in_memory_and_found_all_the_same(
    sealed: TinyDbRegistry,
) -> None:
    assert sealed.db.storage.journal.size("audit") <= SMALL["living"]
    assert [event.at for event in everything(sealed)] == list(map(float, range(EVENTS)))
    assert audit.verify(sealed.audit_events()).is_sound
    assert found(sealed) == OF_C1


@pytest.mark.parametrize("half", [False, True])
def test_sealing_that_dies_anywhere_loses_nothing_and_doubles_nothing(
    tmp_path: Path, half: bool
) -> None:
    for call in range(1, 99):
        path = tmp_path / str(call) / "registry.journal"
        registry = opened(path)
        add(registry)
        registry.close()
        registry = opened(path, DiesAt(call, half=half))
        try:
            seal(registry)
        except Killed:
            ended = False
        else:
            ended = True
        registry.close()
        again = opened(path)
        noted = 1 if again.recovered() else 0  # a commit that was torn is an event
        assert len(everything(again)) == EVENTS + noted
        assert found(again) == OF_C1
        seal(again)
        add(again, 6)
        seal(again)
        assert len(everything(again)) == EVENTS + noted + 6
        assert audit.verify(again.audit_events()).is_sound
        again.close()
        if ended:
            assert call > 20, "every write of several segments was tried"
            return
    pytest.fail("sealing never ended")


def test_who_looks_again_and_again_does_not_run_out_of_files(
    sealed: TinyDbRegistry,
) -> None:
    assert found(sealed) == OF_C1
    before = open_files()
    for _ in range(3):
        assert found(sealed) == OF_C1
    assert open_files() == before


def cut(file: Path, _other: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def grown(file: Path, _other: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


def flipped(file: Path, _other: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def swapped(file: Path, other: Path) -> None:
    first, second = file.read_bytes(), other.read_bytes()
    file.write_bytes(second)
    other.write_bytes(first)


def emptied(file: Path, _other: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, grown, flipped, swapped, emptied])
def test_a_segment_that_is_not_as_it_was_sealed_is_named(
    sealed: TinyDbRegistry, harm: Callable[[Path, Path], None]
) -> None:
    file, other = sorted(sealed.evidence.folder.glob("*.segment"))[:2]
    harm(file, other)
    with pytest.raises(EvidenceDamaged) as damaged:
        list(sealed.audit_events())
    assert damaged.value.data["path"] == str(file)


def gone(file: Path) -> None:
    file.unlink()


def not_to_be_read(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("harm", [gone, not_to_be_read])
def test_a_segment_that_is_gone_is_named_and_nothing_else_suffers(
    sealed: TinyDbRegistry, harm: Callable[[Path], None]
) -> None:
    file = min(sealed.evidence.folder.glob("*.segment"))
    harm(file)
    with pytest.raises(EvidenceMissing) as missing:
        list(sealed.audit_events())
    assert missing.value.data == {"path": str(file)}
    newest = sealed.read(lambda view: view.events(newest_first=True, limit=9))
    assert len(newest) == 9
    add(sealed, 1)


def no_index(index: Path) -> None:
    index.unlink()


def no_database(index: Path) -> None:
    index.write_bytes(b"something else" * 1000)


def nothing_in_it(index: Path) -> None:
    index.write_bytes(b"")


def of_another_version(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def of_other_segments(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("UPDATE covered SET sha256 = 'x'")
        db.execute("DELETE FROM event")
    db.close()


def of_other_places(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("UPDATE event SET offset = offset + 1")
    db.close()


def a_table_less(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("DROP TABLE event")
    db.close()


def behind(index: Path) -> None:
    with sqlite3.connect(index) as db:
        db.execute("DELETE FROM covered WHERE number > 1")
        db.execute("DELETE FROM event WHERE number > 1")
    db.close()


def a_folder(index: Path) -> None:
    index.unlink()
    index.mkdir()


@pytest.mark.parametrize(
    "harm",
    [
        no_index,
        no_database,
        nothing_in_it,
        of_another_version,
        of_other_segments,
        of_other_places,
        a_table_less,
        behind,
        a_folder,
    ],
)
def test_an_index_that_is_wrong_changes_no_answer(
    sealed: TinyDbRegistry, path: Path, harm: Callable[[Path], None]
) -> None:
    assert found(sealed) == OF_C1
    sealed.close()
    index = sealed.evidence.folder / "index.sqlite"
    for suffix in ("-wal", "-shm"):
        Path(f"{index}{suffix}").unlink(missing_ok=True)
    harm(index)
    again = opened(path)
    assert found(again) == OF_C1
    add(again, 6)
    seal(again)
    assert len(found(again)) == len(OF_C1) + 2
    again.close()


def test_two_who_seal_at_once_are_one(path: Path) -> None:
    first, second = opened(path), opened(path)
    add(first)
    with first.evidence.alone() as alone:
        assert alone
        assert not second.evidence.seal()
    seal(second)
    assert found(first) == found(second) == OF_C1
    add(first, 6)
    seal(first)
    assert found(second) == found(first)
    assert len(everything(second)) == EVENTS + 6
    first.close()
    second.close()


def test_an_older_journal_beside_newer_segments_answers_for_itself(
    path: Path, tmp_path: Path
) -> None:
    registry = opened(path)
    add(registry)
    registry.close()
    older = path.read_bytes()
    registry = opened(path)
    seal(registry)
    assert found(registry) == OF_C1
    registry.close()
    path.write_bytes(older)
    again = opened(path)
    assert found(again) == OF_C1
    seal(again)
    assert found(again) == OF_C1
    assert len(everything(again)) == EVENTS
    again.close()


def test_a_copy_is_on_the_disk_before_it_is_put_in_its_place(
    sealed: TinyDbRegistry, tmp_path: Path
) -> None:
    """Else a power cut leaves an empty file where a whole one is said to be."""
    file = min(sealed.evidence.folder.glob("*.segment"))
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / file.name).write_bytes(file.read_bytes())
    file.unlink()
    ops = InOrder()
    mended = [copy for _, copy in mend(sealed.evidence, ops, [copies]) if copy]
    assert mended == [copies / file.name]
    assert ops.done == [WRITTEN, DURABLE, PLACED, NAMED]


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_copies_that_may_not_be_seen_are_not_called_none(
    sealed: TinyDbRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    closed: int,
) -> None:
    file = min(sealed.evidence.folder.glob("*.segment"))
    copies = tmp_path / "copies"
    inside = copies / "monday" / sealed.evidence.folder.name
    inside.mkdir(parents=True)
    (inside / file.name).write_bytes(file.read_bytes())
    file.unlink()
    place = (copies, copies / "monday", inside / file.name)[closed]
    listed, opened_at = Path.iterdir, Path.open

    def refused(self: Path) -> None:
        if self == place:
            raise PermissionError(13, "Permission denied", str(self))

    def iterdir(self: Path) -> Iterator[Path]:
        refused(self)
        return listed(self)

    def opening(self: Path, *args: Any, **named: Any) -> Any:
        refused(self)
        return opened_at(self, *args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", iterdir)
        patched.setattr(Path, "open", opening)
        with pytest.raises(CopiesUnreadable) as caught:
            list(mend(sealed.evidence, FileOps(), [copies]))
    assert caught.value.data == {"path": str(place), "reason": "Permission denied"}
    assert not file.exists()
    (copies / "a file").write_text("")
    mended = [copy for _, copy in mend(sealed.evidence, FileOps(), [copies]) if copy]
    assert mended == [inside / file.name]


def test_a_folder_that_may_not_be_seen_keeps_no_other_copy_from_its_place(
    sealed: TinyDbRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `lost+found` at the root of every disk that backups lie on."""
    disk = tmp_path / "disk"
    inside = disk / "monday" / sealed.evidence.folder.name
    inside.mkdir(parents=True)
    (disk / "lost+found").mkdir()
    first, *others = sorted(sealed.evidence.folder.glob("*.segment"))
    assert others
    for file in others:
        (inside / file.name).write_bytes(file.read_bytes())
    for file in (first, *others):
        file.unlink()
    listed = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(self))
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    told: list[tuple[bool, Path | None]] = []

    def mended() -> None:
        for trouble, copy in mend(sealed.evidence, FileOps(), [disk]):
            told.append((trouble is not None, copy))

    with pytest.raises(CopiesUnreadable) as caught:
        mended()
    assert caught.value.data["path"] == str(disk / "lost+found")
    assert told == [(True, None), *((True, inside / each.name) for each in others)]
    assert [each.exists() for each in (first, *others)] == [
        False,
        *(True for _ in others),
    ]


def test_mending_makes_an_index_anew_that_says_it_has_what_it_has_not(
    sealed: TinyDbRegistry,
) -> None:
    index = sealed.evidence.folder / "index.sqlite"
    assert found(sealed) == OF_C1
    with sqlite3.connect(index) as db:
        db.execute("DELETE FROM event")
    db.close()
    assert found(sealed) != OF_C1
    assert all(trouble is None for trouble, _ in mend(sealed.evidence, FileOps(), []))
    assert found(sealed) == OF_C1


@pytest.fixture
def without_index(path: Path, sealed: TinyDbRegistry) -> Iterator[TinyDbRegistry]:
    """A registry as a restore leaves it: no backup has its index."""
    sealed.close()
    for file in sealed.evidence.folder.glob("index.sqlite*"):
        file.unlink()
    registry = opened(path)
    yield registry
    registry.close()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The segments that are taken into an index, in their order."""
    numbers: list[int] = []
    own = EvidenceIndex.add

    def add(
        index: EvidenceIndex,
        number: int,
        sha256: str,
        located: Iterable[Located | LocatedOperation],
    ) -> None:
        own(index, number, sha256, located)
        numbers.append(number)

    monkeypatch.setattr(EvidenceIndex, "add", add)
    return numbers


def test_mending_tells_of_each_segment_that_it_takes_into_the_index(
    sealed: TinyDbRegistry, taken: list[int]
) -> None:
    segments = len(sealed.evidence.segments())
    after = [len(taken) for _ in mend(sealed.evidence, FileOps(), [])]
    assert after == [*(0,) * segments, *range(1, segments + 1)]
    assert found(sealed) == OF_C1
    assert len(taken) == segments


def test_who_has_nothing_to_do_makes_the_index_one_segment_at_a_time(
    without_index: TinyDbRegistry, taken: list[int]
) -> None:
    segments = len(without_index.evidence.segments())
    after = []
    while without_index.idle(0.0):
        after.append(len(taken))
    assert after == list(range(1, segments))
    assert len(taken) == segments
    assert found(without_index) == OF_C1
    assert len(taken) == segments, "who searches has nothing to wait for"
    assert not without_index.idle(0.0)


def test_who_searches_while_the_index_is_made_finds_all_and_nothing_twice(
    without_index: TinyDbRegistry, taken: list[int]
) -> None:
    assert without_index.idle(0.0)
    assert found(without_index) == OF_C1
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert not without_index.idle(0.0)


def test_a_segment_that_is_gone_is_tried_once_and_named_to_who_searches(
    without_index: TinyDbRegistry, taken: list[int]
) -> None:
    gone = sorted(without_index.evidence.folder.glob("*.segment"))[1]
    gone.unlink()
    while without_index.idle(0.0):
        pass
    assert 2 not in taken
    assert len(taken) == len(without_index.evidence.segments()) - 1
    with pytest.raises(EvidenceMissing):
        found(without_index)
    assert not without_index.idle(0.0)


def test_an_index_that_cannot_be_made_keeps_nobody_busy(
    without_index: TinyDbRegistry,
) -> None:
    (without_index.evidence.folder / "index.sqlite").mkdir()
    assert not without_index.idle(0.0)
    assert len(everything(without_index)) == EVENTS
