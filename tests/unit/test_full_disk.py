"""A disk without room, in every phase of sealing and of compacting."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.registries import credential, draft

from storage import audit, compaction
from storage.errors import StoreFull
from storage.fileops import FileOps
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

SMALL = {"living": 5, "batch": 4}
EVENTS = 19


class Disk(FileOps):
    """Has no room from one call on that needs some; half of what is written fits."""

    def __init__(self) -> None:
        self.calls_left = 1 << 30

    def _full(self) -> bool:
        self.calls_left -= 1
        return self.calls_left < 0

    def create(self, path: Path) -> int:
        if self._full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().create(path)

    def write(self, handle: int, data: bytes) -> None:
        if self._full():
            super().write(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(handle, data)

    def rename(self, source: Path, target: Path) -> None:
        if self._full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().rename(source, target)


def seal(registry: TinyDbRegistry) -> None:
    while registry.evidence.seal():
        pass


def compact(registry: TinyDbRegistry) -> None:
    registry.compact()


@pytest.mark.parametrize("act", [seal, compact])
def test_what_is_full_anywhere_changes_nothing_and_passes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[TinyDbRegistry], None],
) -> None:
    monkeypatch.setattr(compaction, "_PIECE", 500)
    for calls in range(99):
        path, disk = tmp_path / str(calls) / "registry.journal", Disk()
        registry = TinyDbRegistry(path, ops=disk, sealing=SMALL)
        registry.run(lambda tx: tx.save_credential(credential()))
        for number in range(EVENTS):
            registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        disk.calls_left = calls
        try:
            act(registry)
        except StoreFull:
            is_full = True
        else:
            is_full = False
        events = [event.at for event in registry.audit_events()]
        assert events == list(map(float, range(EVENTS)))
        left = [each.name for each in path.parent.rglob("*")]
        assert not [name for name in left if name.endswith((".compact", ".part"))]
        disk.calls_left = 1 << 30
        act(registry)
        registry.run(lambda tx: tx.audit(draft(float(EVENTS))))
        registry.close()
        again = TinyDbRegistry(path, sealing=SMALL)
        assert again.recovered() == ""
        assert audit.verify(again.audit_events()).events == EVENTS + 1
        assert again.read(lambda view: view.credential("c1")).version == 1
        again.close()
        if not is_full:
            assert calls > 5, "every call of it was tried"
            return
    pytest.fail("it never ended")
