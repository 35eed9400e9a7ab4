"""Operations that have ended leave memory, and are found all the same."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from lab.dying import DiesAt, Killed
from lab.registries import credential, draft, operation
from msgspec.structs import replace

from statemachine.operation import Phase
from storage import covered_index, migrations, segments
from storage.documents import OWN
from storage.errors import (
    EvidenceDamaged,
    EvidenceMissing,
    RecordMissing,
    VersionConflict,
)
from storage.fileops import FileOps
from storage.records import AuditEvent, Operation
from storage.registry import Tx
from storage.tinydb_indexes import OPERATIONS
from storage.tinydb_registry import TinyDbRegistry
from storage.view import ByStart

pytestmark = pytest.mark.slow

SMALL = {"living": 5, "batch": 4, "ended": 4}
COUNT = 14


def opened(path: Path, ops: FileOps | None = None) -> TinyDbRegistry:
    return TinyDbRegistry(path, ops=ops, sealing=SMALL)


def ended(number: int) -> Operation:
    return operation(
        f"o{number:02d}",
        event=f"{number:04d}-0000",
        credential=f"c{number % 2}",
        phase=Phase.DONE,
        started_at=float(number),
        ended_at=number + 0.5,
    )


def fill(registry: TinyDbRegistry) -> None:
    for number in range(COUNT):

        def commit(tx: Tx, number: int = number) -> None:
            tx.save_operation(ended(number))
            tx.audit(draft(float(number), operation=f"o{number:02d}"))

        registry.run(commit)


def seal(registry: TinyDbRegistry) -> None:
    while registry.evidence.seal():
        pass


def living(registry: TinyDbRegistry) -> int:
    return registry.db.storage.journal.size(OPERATIONS)


def listed(registry: TinyDbRegistry, id: str, limit: int = 99) -> list[str]:
    """A credential's operations, a page at a time."""
    found: list[str] = []
    after: ByStart | None = None
    while page := registry.read(
        lambda view, after=after: view.operations(id, limit=limit, after=after)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    ):
        found += [each.id for each in page]
        after = ByStart.of(page[-1])
    return found


OF_C1 = [f"o{number:02d}" for number in range(1, COUNT, 2)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


@pytest.fixture
def sealed(path: Path) -> Iterator[TinyDbRegistry]:
    registry = opened(path)
    fill(registry)
    seal(registry)
    assert living(registry) < COUNT // 2
    yield registry
    registry.close()


@pytest.mark.parametrize("is_opened_again", [False, True])
def test_what_has_ended_lives_no_longer_and_is_found(
    sealed: TinyDbRegistry, path: Path, *, is_opened_again: bool
) -> None:
    sealed.db.storage.journal.compact()
    if is_opened_again:
        sealed.close()
        sealed = opened(path)
    assert b'"o01"' not in path.read_bytes()
    for number in range(COUNT):
        expected = replace(ended(number), version=1)
        assert sealed.read(lambda view, n=number: view.operation(f"o{n:02d}")) == (  # type: ignore[misc]  # mypy cannot infer a lambda's default
            expected
        )
        event = f"{number:04d}-0000"
        assert (
            sealed.read(lambda view, e=event: view.operation_by_event(e))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            == expected
        )
    for limit in (1, 2, 3, 99):
        assert listed(sealed, "c1", limit) == OF_C1
    with pytest.raises(RecordMissing):
        sealed.read(lambda view: view.operation("o99"))
    sealed.close()


def test_its_number_finds_the_card(sealed: TinyDbRegistry) -> None:
    sealed.run(lambda tx: tx.save_credential(credential("c1")))
    found = sealed.read(lambda view: view.find("0001-0000", limit=9))
    assert [each.id for each in found] == ["c1"]


def test_what_is_saved_again_counts_and_is_sealed_again(
    sealed: TinyDbRegistry,
) -> None:
    def close_case(tx: Tx) -> None:
        tx.save_operation(replace(tx.operation("o01"), reason="closed"))

    with pytest.raises(VersionConflict):
        sealed.run(lambda tx: tx.save_operation(replace(ended(1), version=7)))
    for times in (1, 2):
        sealed.run(close_case)
        for is_sealed in (False, True):
            if is_sealed:
                others = (ended(20 * times + number) for number in range(9))
                for other in others:
                    moved = replace(other, credential="c9")
                    sealed.run(lambda tx, it=moved: tx.save_operation(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
                seal(sealed)
                assert sealed.db.storage.journal.get(OPERATIONS, "o01") is None
            found = sealed.read(lambda view: view.operation("o01"))
            assert (found.reason, found.version) == ("closed", 1 + times)
            event = sealed.read(lambda view: view.operation_by_event("0001-0000"))
            assert event == found
            assert listed(sealed, "c1", 2) == OF_C1


def test_a_write_that_nobody_knows_of_goes_on_living(sealed: TinyDbRegistry) -> None:
    """Each visit of its card asks for it: no file of evidence may be needed."""
    unsure = replace(ended(0), id="unsure", phase=Phase.OUT_OF_STEP, written=True)
    sealed.run(lambda tx: tx.save_operation(unsure))
    for number in range(20, 40):
        sealed.run(lambda tx, n=number: tx.save_operation(ended(n)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    seal(sealed)
    shutil.rmtree(sealed.evidence.folder)
    assert sealed.read(lambda view: view.unsure_writes("c0", since=0.0)) == 1
    assert sealed.read(lambda view: view.unsure_writes("c0", since=9.0)) == 0


@pytest.mark.parametrize("half", [False, True])
def test_sealing_that_dies_anywhere_keeps_every_operation_once(
    tmp_path: Path, *, half: bool
) -> None:
    for call in range(1, 99):
        path = tmp_path / str(call) / "registry.journal"
        registry = opened(path)
        fill(registry)
        registry.close()
        registry = opened(path, DiesAt(call, half=half))
        try:
            seal(registry)
        except Killed:
            is_done = False
        else:
            is_done = True
        registry.close()
        again = opened(path)
        assert listed(again, "c1", 3) == OF_C1
        seal(again)
        assert listed(again, "c1", 3) == OF_C1
        again.close()
        if is_done:
            assert call > 10, "every write of several segments was tried"
            return
    pytest.fail("sealing never ended")


# --- what is missing ------------------------------------------------------------


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_missing_segment_is_named_and_the_rest_goes_on(
    sealed: TinyDbRegistry, path: Path, *, is_indexed: bool
) -> None:
    sealed.close()
    folder = sealed.evidence.folder
    first = min(folder.glob("*.segment"))
    gone = [
        each.event if isinstance(each, segments.Located) else each.operation
        for each in segments.everything(folder, sealed.evidence.segments()[0])
    ]
    events = [each for each in gone if isinstance(each, AuditEvent)]
    operations = [each for each in gone if isinstance(each, Operation)]
    aside = first.rename(first.with_suffix(".aside"))
    if not is_indexed:
        for each in folder.glob("index.sqlite*"):
            each.unlink()
    registry = opened(path)
    missing: list[EvidenceMissing | EvidenceDamaged] = []
    rest = registry.read(lambda view: view.events(limit=99, missing=missing))
    assert [each.data for each in missing] == [{"path": str(first)}]
    assert len(rest) == COUNT - len(events)
    newest = registry.read(lambda view: view.events(newest_first=True, limit=3))
    assert [event.at for event in newest] == [13.0, 12.0, 11.0]
    with pytest.raises(EvidenceMissing):
        registry.read(lambda view: view.events(limit=99))
    with pytest.raises(EvidenceMissing):
        registry.read(lambda view: view.operation(operations[0].id))
    registry.run(lambda tx: tx.save_operation(ended(50)))
    assert registry.read(lambda view: view.operation("o50")).version == 1
    assert registry.read(lambda view: view.find("ali", limit=9)) == []
    aside.rename(first)
    assert len(registry.read(lambda view: view.events(limit=99))) == COUNT
    found = registry.read(lambda view: view.operation(operations[0].id))
    assert found == operations[0]
    registry.close()


def test_nobody_waits_while_an_index_is_made_of_much(
    sealed: TinyDbRegistry, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.close()
    for each in sealed.evidence.folder.glob("index.sqlite*"):
        each.unlink()
    registry = opened(path)
    monkeypatch.setattr(covered_index, "_INLINE", 0)
    held: list[bool] = []
    everything = segments.everything

    def watched(
        folder: Path, segment: segments.Segment
    ) -> Iterator[segments.Located | segments.LocatedOperation]:
        held.append(registry.db.storage.journal.is_in_transaction)
        return everything(folder, segment)

    monkeypatch.setattr(segments, "everything", watched)
    assert registry.run(lambda tx: tx.operation("o01")).event == "0001-0000"
    assert len(held) > 1
    assert not any(held)
    registry.close()


# --- earlier versions -----------------------------------------------------------


def test_an_index_of_an_earlier_version_is_brought_forward(
    sealed: TinyDbRegistry, path: Path
) -> None:
    sealed.close()
    with closing(sqlite3.connect(sealed.evidence.folder / "index.sqlite")) as db, db:
        db.execute("DROP TABLE operation")
        db.execute("DELETE FROM covered WHERE number > 1")
        db.execute("PRAGMA user_version = 1")
    registry = opened(path)
    assert listed(registry, "c1")[-1] == OF_C1[-1]
    registry.close()


def test_a_registry_that_kept_them_in_memory_seals_them(path: Path) -> None:
    registry = TinyDbRegistry(path)
    fill(registry)
    with registry.db.storage.transaction():
        registry.db.storage.journal.delete(OWN, "records")
    registry.close()
    again = opened(path)
    raw = again.db.storage.journal.get(OWN, "records")
    assert raw is not None
    assert f'"number":{migrations.RECORDS}'.encode() in raw
    while again.idle(0.0):
        pass
    assert living(again) < COUNT // 2
    assert listed(again, "c1", 2) == OF_C1
    again.close()
