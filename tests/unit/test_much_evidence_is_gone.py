"""More sealed evidence is gone than a transaction would take into the index itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.registries import draft, operation

from statemachine.operation import Phase
from storage import segments
from storage.errors import EvidenceDamaged, EvidenceMissing
from storage.records import Operation
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

COUNT = 26


def opened(path: Path) -> TinyDbRegistry:
    return TinyDbRegistry(path, sealing={"living": 4, "batch": 2, "ended": 4})


def ended(number: int) -> Operation:
    return operation(
        f"o{number:02d}",
        event=f"{number:04d}-0000",
        credential="c1",
        phase=Phase.DONE,
        started_at=float(number),
        ended_at=number + 0.5,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a registry with many segments, whose index nobody has opened."""
    path = tmp_path / "registry.journal"
    registry = opened(path)
    for number in range(COUNT):

        def commit(tx: Tx, number: int = number) -> None:
            tx.save_operation(ended(number))
            tx.audit(draft(float(number), credential="c1"))

        registry.run(commit)
    while registry.evidence.seal():
        pass
    assert len(registry.evidence.segments()) > 6
    registry.close()
    return path


def index_of(path: Path) -> Path:
    return path.with_name(path.name + ".evidence") / "index.sqlite"


def segments_gone(path: Path) -> None:
    for each in index_of(path).parent.iterdir():
        each.unlink()


def folder_gone(path: Path) -> None:
    shutil.rmtree(index_of(path).parent)


def segments_damaged(path: Path) -> None:
    for each in index_of(path).parent.iterdir():
        each.write_bytes(b"x" * 99)


HARMS = [segments_gone, folder_gone, segments_damaged]


@pytest.mark.parametrize("harm", HARMS)
def test_a_transaction_hears_of_it_and_the_rest_goes_on(
    path: Path, harm: Callable[[Path], None]
) -> None:
    harm(path)
    registry = opened(path)
    with pytest.raises((EvidenceMissing, EvidenceDamaged)):
        registry.run(lambda tx: tx.operation("o01"))
    missing: list[EvidenceMissing | EvidenceDamaged] = []
    found = registry.run(
        lambda tx: tx.events(credential="c1", limit=99, missing=missing)
    )
    assert [event.at for event in found] == [COUNT - 4.0 + more for more in range(4)]
    assert len(missing) == len(registry.evidence.segments())
    registry.run(lambda tx: tx.save_operation(ended(COUNT)))
    assert registry.read(lambda view: view.operation(f"o{COUNT}")).version == 1
    registry.close()


def test_nobody_waits_while_what_is_damaged_is_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments_damaged(path)
    registry = opened(path)
    held: list[bool] = []
    sealed_bytes = segments.sealed_bytes

    def watched(folder: Path, segment: segments.Segment) -> bytes:
        held.append(registry.db.storage.journal.is_in_transaction)
        return sealed_bytes(folder, segment)

    monkeypatch.setattr(segments, "sealed_bytes", watched)
    for _ in range(2):
        registry.run(lambda tx: tx.events(limit=9, missing=[]))
    assert len(held) > 6
    assert not any(held)
    registry.close()


def test_what_is_put_back_is_seen(path: Path, tmp_path: Path) -> None:
    shutil.copytree(index_of(path).parent, tmp_path / "aside")
    segments_gone(path)
    registry = opened(path)
    with pytest.raises(EvidenceMissing):
        registry.run(lambda tx: tx.operation("o01"))
    for each in (tmp_path / "aside").glob("*.segment"):
        shutil.copy(each, index_of(path).parent)
    assert len(registry.read(lambda view: view.events(limit=99))) == COUNT
    assert registry.run(lambda tx: tx.operation("o01")).event == "0001-0000"
    registry.close()


def test_a_transaction_does_without_an_index_that_cannot_be_used(path: Path) -> None:
    """As where its disk takes nothing more: the segments themselves have it all."""
    index_of(path).unlink()
    index_of(path).mkdir()
    registry = opened(path)
    assert registry.run(lambda tx: tx.operation("o01")).event == "0001-0000"
    assert len(registry.run(lambda tx: tx.events(limit=99))) == COUNT
    registry.run(lambda tx: tx.save_operation(ended(COUNT)))
    registry.close()
