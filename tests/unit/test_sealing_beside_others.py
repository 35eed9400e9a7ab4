"""Sealing takes no lock of the registry until its commit: what others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.registries import draft, operation
from msgspec.structs import replace

from statemachine.operation import Phase
from storage import audit
from storage.fileops import FileOps
from storage.records import Operation
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry

COUNT = 9


class Meanwhile(FileOps):
    """Lets something happen once: before a lock is taken, or once a file is placed."""

    def __init__(self) -> None:
        self.before_lock: list[Callable[[], object]] = []
        self.when_placed: list[Callable[[], object]] = []

    def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
        while self.before_lock:
            self.before_lock.pop()()
        return super().lock(handle, seconds, is_shared=is_shared)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        while self.when_placed:
            self.when_placed.pop()()


def opened(path: Path, ops: FileOps | None = None) -> TinyDbRegistry:
    small = {"living": 2, "batch": 4, "ended": 2}
    return TinyDbRegistry(path, ops=ops, sealing=small)


def seal(registry: TinyDbRegistry) -> None:
    while registry.evidence.seal():
        pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "registry.journal"
    registry = opened(path)
    for number in range(COUNT):
        ended = operation(
            f"o{number}",
            event=f"{number:04d}-0000",
            phase=Phase.DONE,
            started_at=float(number),
            ended_at=number + 0.5,
        )

        def commit(tx: Tx, ended: Operation = ended, at: float = float(number)) -> None:
            tx.save_operation(ended)
            tx.audit(draft(at))

        registry.run(commit)
    registry.close()
    return path


def test_an_operation_that_is_saved_again_meanwhile_lives_on(path: Path) -> None:
    ops = Meanwhile()
    registry, other = opened(path, ops), opened(path)
    first = other.read(lambda view: view.operation("o0"))
    again = replace(first, reason="again")
    ops.when_placed.append(lambda: other.run(lambda tx: tx.save_operation(again)))
    seal(registry)
    for each in (registry, other, opened(path)):
        found = each.read(lambda view: view.operation("o0"))
        assert (found.version, found.reason) == (2, "again")
        each.close()


def test_who_comes_second_seals_only_what_is_left(path: Path) -> None:
    ops = Meanwhile()
    registry, other = opened(path, ops), opened(path)
    ops.before_lock.append(lambda: seal(other))
    seal(registry)
    assert len(registry.evidence.segments()) == len(other.evidence.segments()) > 1
    for each in (registry, other):
        assert audit.verify(each.audit_events()).events == COUNT
        each.close()
