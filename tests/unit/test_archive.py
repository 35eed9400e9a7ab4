"""Evidence that is moved away: whole wherever the move ends, and the chains go on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.dying import DiesAt, Killed
from lab.registries import draft

from kiosk.authority.proof import verification
from storage import archive, audit, moving, tinydb_evidence
from storage.archive import KIND
from storage.completeness import Damage, judge
from storage.errors import (
    ArchiveBusy,
    ArchiveNotWritten,
    ArchiveTaken,
    EvidenceDamaged,
    EvidenceElsewhere,
    EvidenceMissing,
    RegistryError,
    StoreFull,
)
from storage.fileops import FileOps
from storage.memory_registry import MemoryRegistry
from storage.segments import Segment
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

SMALL = {"living": 5, "batch": 4}
EVENTS = 19
MOVED = 3
"""Segments that end before `BEFORE`."""
BEFORE = 4.0 * MOVED + 1


def opened(
    path: Path, ops: FileOps | None = None, archives: tuple[Path, ...] = ()
) -> TinyDbRegistry:
    return TinyDbRegistry(path, ops=ops, sealing=SMALL, archives=archives)


def filled(path: Path) -> TinyDbRegistry:
    registry = opened(path)
    for number in range(EVENTS):
        event = draft(float(number), f"k{number % 2}", credential=f"c{number % 3}")
        registry.run(lambda tx, event=event: tx.audit(event))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while registry.evidence.seal():
        pass
    return registry


def move(
    registry: TinyDbRegistry, target: Path, ops: FileOps | None = None
) -> list[Segment]:
    moving = archive.move(
        registry,
        registry.evidence,
        ops or FileOps(),
        target,
        before=BEFORE,
        draft=draft(100.0),
    )
    return list(moving)


def of_old(registry: TinyDbRegistry) -> list[float]:
    """Return the times of all events that were added here."""
    return sorted(e.at for e in registry.audit_events() if e.kind == "x")


def is_sound(registry: TinyDbRegistry) -> bool:
    return audit.verify(registry.audit_events(), registry.moved_away()).is_sound


ALL = [float(number) for number in range(EVENTS)]
LEFT = ALL[4 * MOVED :]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


@pytest.fixture
def away(tmp_path: Path) -> Path:
    return tmp_path / "archive" / "of-k1"


def test_what_is_moved_is_verified_with_its_folder_and_the_rest_without(
    path: Path, away: Path
) -> None:
    registry = filled(path)
    assert len(move(registry, away)) == MOVED
    assert len(list(away.glob("*.segment"))) == MOVED
    assert of_old(registry) == LEFT
    assert is_sound(registry)
    registry.close()
    whole = opened(path, archives=(away,))
    assert of_old(whole) == ALL
    assert whole.moved_away() == {}
    assert is_sound(whole)
    (told,) = [e for e in whole.audit_events() if e.kind == KIND]
    assert told.data["events"] == str(4 * MOVED)
    whole.close()


def test_a_registry_with_an_archive_is_moved_with_it_and_never_without(
    path: Path, away: Path
) -> None:
    registry = filled(path)
    move(registry, away)
    registry.close()
    target, part = MemoryRegistry(), opened(path)
    with pytest.raises(EvidenceElsewhere) as elsewhere:
        list(moving.move(part, target, now=1.0))
    assert elsewhere.value.data == {"count": 4 * MOVED}
    with pytest.raises(EvidenceElsewhere):
        list(moving.verified(part))
    assert target.read(lambda view: view.heads()) == {}
    part.close()
    whole = opened(path, archives=(away,))
    assert sum(1 for _ in moving.move(whole, target, now=1.0)) == EVENTS + 1
    moving.finish(whole, target, station="k1", now=2.0)
    kept = {event.hash for event in target.audit_events()}
    assert {event.hash for event in whole.audit_events()} <= kept
    assert audit.verify(target.audit_events()).is_sound
    whole.close()


def test_the_rest_is_not_called_whole_from_its_first_event(
    path: Path, away: Path
) -> None:
    registry = filled(path)
    move(registry, away)
    assert not audit.verify(registry.audit_events()).is_sound
    verified = verification.verify(verification.evidence_of(registry))
    assert verified.is_sound
    keys = [message.key for message in verification.shown(verified)]
    assert "evidence.moved_away" in keys
    registry.close()


def copied(made: Path, folder: Path) -> tuple[Path, Path]:
    """Return a copy of what `filled` made, and an archive for it."""
    shutil.copytree(made.parent, folder)
    return folder / made.name, folder / "away"


def test_a_move_that_dies_anywhere_loses_nothing_and_goes_on(tmp_path: Path) -> None:
    made = tmp_path / "made" / "registry.journal"
    filled(made).close()
    ended = False
    for half in (False, True):
        for call in range(1, 99):
            path, away = copied(made, tmp_path / f"{half}{call}")
            ops = DiesAt(call, half=half)
            registry = opened(path)
            try:
                move(registry, away, ops)
            except Killed:
                ended = False
            else:
                ended = True
            registry.close()
            again = opened(path, archives=(away,))
            assert of_old(again) == ALL
            assert is_sound(again)
            again.close()
            again = opened(path)
            move(again, away)
            assert of_old(again) == LEFT
            assert is_sound(again)
            left = {file.name for file in again.evidence.folder.glob("*.segment")}
            assert left == {
                it.file for it in again.evidence.segments() if not it.archived
            }
            again.close()
            if ended:
                assert call > 10, "every step of several segments was tried"
                break
        assert ended


def test_a_commit_of_the_move_that_dies_loses_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made" / "registry.journal"
    filled(made).close()
    for call in range(1, 99):
        path, away = copied(made, tmp_path / str(call))
        registry = opened(path, DiesAt(call, half=True))
        try:
            move(registry, away)
        except Killed:
            ended = False
        else:
            ended = True
        registry.close()
        again = opened(path, archives=(away,))
        assert of_old(again) == ALL
        assert is_sound(again)
        again.close()
        if ended:
            assert call > 1
            return
    pytest.fail("the move never ended")


class Full(FileOps):
    """A disk that has no room left from some write on."""

    def __init__(self, writes: int) -> None:
        self._left = writes

    def write(self, handle: int, data: bytes) -> None:
        self._left -= 1
        if self._left < 0:
            super().write(handle, data[: len(data) // 2])
            raise OSError(28, os.strerror(28))
        super().write(handle, data)


@pytest.mark.parametrize("writes", range(MOVED))
def test_a_full_archive_is_named_and_nothing_is_lost(
    path: Path, away: Path, writes: int
) -> None:
    registry = filled(path)
    with pytest.raises(ArchiveNotWritten) as full:
        move(registry, away, Full(writes))
    assert full.value.data["reason"] == os.strerror(28)
    assert of_old(registry) == ALL
    assert not list(away.glob("*.part"))
    assert len(move(registry, away)) == MOVED
    registry.close()


class AnotherDisk(FileOps):
    """A rename from one file system to the other fails, as it does there."""

    def __init__(self, own: Path) -> None:
        self._own = own

    def rename(self, source: Path, target: Path) -> None:
        if (self._own in source.parents) != (self._own in target.parents):
            raise OSError(18, os.strerror(18))
        super().rename(source, target)


def test_an_archive_may_be_on_another_file_system(path: Path, away: Path) -> None:
    registry = filled(path)
    assert len(move(registry, away, AnotherDisk(registry.evidence.folder))) == MOVED
    registry.close()


def test_an_archive_that_cannot_be_made_is_named(path: Path, tmp_path: Path) -> None:
    registry = filled(path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveNotWritten):
        move(registry, tmp_path / "file" / "below")
    with pytest.raises(ArchiveNotWritten):
        move(registry, registry.evidence.folder)
    assert of_old(registry) == ALL
    registry.close()


def gone(file: Path, _other: Path) -> None:
    file.unlink()


def cut(file: Path, _other: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def swapped(file: Path, other: Path) -> None:
    first, second = file.read_bytes(), other.read_bytes()
    file.write_bytes(second)
    other.write_bytes(first)


HARMS = [
    (gone, EvidenceMissing),
    (cut, EvidenceDamaged),
    (swapped, EvidenceDamaged),
]


@pytest.mark.parametrize(("harm", "error"), HARMS)
def test_what_is_not_as_it_was_sealed_is_not_moved(
    path: Path,
    away: Path,
    harm: Callable[[Path, Path], None],
    error: type[RegistryError],
) -> None:
    registry = filled(path)
    file, other = sorted(registry.evidence.folder.glob("*.segment"))[1:3]
    harm(file, other)
    with pytest.raises(error) as named:
        move(registry, away)
    assert named.value.data["path"] == str(file)
    assert not any(each.archived for each in registry.evidence.segments())
    registry.close()


@pytest.mark.parametrize(("harm", "error"), HARMS)
def test_an_archive_that_is_not_as_it_was_moved_is_named(
    path: Path,
    away: Path,
    harm: Callable[[Path, Path], None],
    error: type[RegistryError],
) -> None:
    registry = filled(path)
    move(registry, away)
    registry.close()
    file, other = sorted(away.glob("*.segment"))[1:3]
    harm(file, other)
    whole = opened(path, archives=(away,))
    with pytest.raises(error) as named:
        list(whole.audit_events())
    assert Path(str(named.value.data["path"])).name == file.name
    whole.close()
    rest = opened(path)
    assert is_sound(rest)
    rest.close()


def test_another_stations_archive_is_not_written_over(
    path: Path, away: Path, tmp_path: Path
) -> None:
    registry = filled(path)
    move(registry, away)
    registry.close()
    other = filled(tmp_path / "other" / "registry.journal")
    other.run(lambda tx: tx.audit(draft(50.0)))
    before = {file: file.read_bytes() for file in away.iterdir()}
    (away / "00000002.segment").write_bytes(b"something else")
    with pytest.raises(ArchiveTaken):
        move(other, away)
    assert (away / "00000002.segment").read_bytes() == b"something else"
    assert set(before) == set(away.iterdir())
    other.close()


def test_moving_twice_moves_once(path: Path, away: Path) -> None:
    registry = filled(path)
    assert len(move(registry, away)) == MOVED
    assert move(registry, away) == []
    assert of_old(registry) == LEFT
    registry.close()


def test_one_event_of_a_wrong_clock_keeps_nothing_here(path: Path, away: Path) -> None:
    registry = opened(path)
    for at in (1.0, 9e9, *map(float, range(2, EVENTS))):
        registry.run(lambda tx, at=at: tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while registry.evidence.seal():
        pass
    assert len(move(registry, away)) == MOVED
    assert is_sound(registry)
    registry.close()


def test_who_seals_meanwhile_is_not_disturbed(path: Path, away: Path) -> None:
    registry, other = filled(path), opened(path)
    with other.evidence.alone(), pytest.raises(ArchiveBusy):
        move(registry, away)
    move(registry, away)
    assert of_old(other) == LEFT
    assert other.read(lambda view: view.events(limit=2))[0].at == LEFT[0]
    registry.close()
    other.close()


def test_what_was_put_back_is_read_and_never_removed_where_it_is_the_last(
    path: Path, away: Path
) -> None:
    registry = filled(path)
    move(registry, away)
    for file in away.iterdir():
        file.rename(registry.evidence.folder / file.name)
    assert of_old(registry) == ALL
    move(registry, away)
    assert of_old(registry) == LEFT
    assert len(list(away.glob("*.segment"))) == MOVED
    registry.close()


def test_what_is_called_moved_away_cannot_hide_what_is_missing(
    path: Path, away: Path
) -> None:
    """Only the beginning may be away: a hole in the middle is one."""
    registry = filled(path)
    middle = registry.evidence.segments()[1:2]
    with registry.db.storage.transaction():
        registry.evidence.call_archived(middle)
    (registry.evidence.folder / middle[0].file).unlink()
    evidence = verification.evidence_of(registry)
    with pytest.raises(EvidenceMissing):
        judge(evidence)
    registry.close()


def test_the_end_that_is_named_for_what_is_away_is_held_against_the_rest(
    path: Path, away: Path
) -> None:
    registry = filled(path)
    move(registry, away)
    evidence = verification.evidence_of(registry)
    lane, head = next(iter(evidence.begins.items()))
    other = {**evidence.begins, lane: audit.Head(head.seq, "0" * 64)}
    judged = judge(
        type(evidence)(
            checkpoints=evidence.checkpoints, events=evidence.events, begins=other
        )
    )
    assert judged.fault is not None
    assert judged.fault.damage is Damage.BROKEN
    registry.close()


def test_what_is_being_verified_stays_where_it_is(path: Path, away: Path) -> None:
    """Who verifies reads twice; between, nothing is moved, and new events may come."""
    registry, other = filled(path), opened(path)
    with registry.evidence_at_rest():
        evidence = verification.evidence_of(registry)
        assert list(evidence.checkpoints()) == []
        with pytest.raises(ArchiveBusy):
            move(other, away)
        other.run(lambda tx: tx.audit(draft(50.0)))
        assert not other.evidence.seal(least=0)
        with other.evidence_at_rest():  # several may verify at once
            pass
        assert judge(evidence).fault is None
    assert len(move(other, away)) == MOVED
    assert verification.verify(verification.evidence_of(registry)).is_sound
    registry.close()
    other.close()


def test_who_verifies_while_evidence_is_moved_is_told_so(
    path: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tinydb_evidence, "REST_SECONDS", 0.05)
    registry, other = filled(path), opened(path)
    moving = archive.move(
        registry,
        registry.evidence,
        FileOps(),
        away,
        before=BEFORE,
        draft=draft(100.0),
    )
    next(moving)
    with pytest.raises(ArchiveBusy), other.evidence_at_rest():
        pass
    for _ in moving:
        pass
    with other.evidence_at_rest():
        assert verification.verify(verification.evidence_of(other)).is_sound
    registry.close()
    other.close()


def test_where_nobody_can_be_kept_from_moving_it_that_is_named(
    path: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = filled(path)

    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(registry.evidence._ops, "open", refused)
    with pytest.raises(StoreFull), registry.evidence_at_rest():
        pass
    registry.close()
