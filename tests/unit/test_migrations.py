"""Programs of different versions on one registry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
import pytest
from lab.registries import credential

from storage import migrations, opening
from storage.errors import StoreTooNew
from storage.fileops import FileOps
from storage.opening import OpeningPart
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry

NEXT = migrations.RECORDS + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    registry = TinyDbRegistry(tmp_path / "registry.journal")
    registry.run(lambda tx: tx.save_credential(credential(holder="Ann")))
    registry.close()
    return tmp_path / "registry.journal"


def rename(raw: bytes) -> bytes:
    """What a later version might do to every credential."""
    fields = msgspec.json.decode(raw)
    fields["holder"] = f"Dr {fields['holder']}"
    return msgspec.json.encode(fields, order="sorted")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Be a program of a later version, until this is undone."""
    monkeypatch.setattr(migrations, "RECORDS", NEXT)
    monkeypatch.setattr(migrations, "SINCE", {1: "0.1.0", NEXT: "7.5.0"})
    monkeypatch.setattr(migrations, "FORWARD", {NEXT - 1: {"credentials": rename}})
    return monkeypatch


def holder(tx: Tx) -> str:
    return tx.credential("c1").holder


def test_an_older_registry_is_brought_forward_once(
    path: Path, later: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        registry = TinyDbRegistry(path)
        assert registry.run(holder) == "Dr Ann"
        registry.db.storage.journal.compact()
        registry.close()


def test_what_fails_on_the_way_forward_leaves_the_older_one(
    path: Path, later: pytest.MonkeyPatch
) -> None:
    def fail(raw: bytes) -> bytes:
        rename(raw)
        raise LookupError

    before = path.read_bytes()
    later.setattr(migrations, "FORWARD", {NEXT - 1: {"credentials": fail}})
    with pytest.raises(LookupError):
        TinyDbRegistry(path)
    assert path.read_bytes() == before


def test_bringing_it_forward_tells_how_far_it_is(
    path: Path, later: pytest.MonkeyPatch
) -> None:
    told: list[tuple[OpeningPart, int, int]] = []

    def shows(total: int, part: OpeningPart) -> AbstractContextManager[opening.Told]:
        return nullcontext(lambda more: told.append((part, more, total)))

    with opening.shown_by(shows):
        TinyDbRegistry(path).close()
    forward = [each for each in told if each[0] is OpeningPart.BRINGING_FORWARD]
    assert forward == [(OpeningPart.BRINGING_FORWARD, 1, 1)]


class Faster(FileOps):
    """Another process is faster: it has the lock before us, the second time."""

    def __init__(self, first: Callable[[], None]) -> None:
        self._first, self._locks = first, 0

    def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
        self._locks += 1
        if self._locks == 2:
            self._first()
        return super().lock(handle, seconds, is_shared=is_shared)


@pytest.mark.parametrize("its", [NEXT, NEXT + 1])
def test_what_another_program_brings_forward_just_before_is_left(
    path: Path, later: pytest.MonkeyPatch, its: int
) -> None:
    """It may even be a program of a later version than this one."""

    def first() -> None:
        with pytest.MonkeyPatch.context() as theirs:
            theirs.setattr(migrations, "RECORDS", its)
            theirs.setattr(migrations, "SINCE", {its: "7.6.0"})
            steps = {NEXT - 1: {"credentials": rename}, NEXT: {}}
            theirs.setattr(migrations, "FORWARD", steps)
            TinyDbRegistry(path).close()

    if its > NEXT:
        with pytest.raises(StoreTooNew):
            TinyDbRegistry(path, ops=Faster(first))
        return
    registry = TinyDbRegistry(path, ops=Faster(first))
    assert registry.run(holder) == "Dr Ann"
    registry.close()


def test_a_newer_registry_is_refused_with_the_version_it_needs(
    path: Path, later: pytest.MonkeyPatch
) -> None:
    TinyDbRegistry(path).close()
    later.undo()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew) as refused:
        TinyDbRegistry(path)
    assert refused.value.data == {"path": str(path), "version": "7.5.0"}
    assert path.read_bytes() == before


def test_an_open_registry_notices_that_it_was_brought_forward(
    path: Path, later: pytest.MonkeyPatch
) -> None:
    later.undo()
    older = TinyDbRegistry(path)
    later.setattr(migrations, "RECORDS", NEXT)
    later.setattr(migrations, "SINCE", {1: "0.1.0", NEXT: "7.5.0"})
    later.setattr(migrations, "FORWARD", {NEXT - 1: {"credentials": rename}})
    TinyDbRegistry(path).close()
    later.undo()
    after = path.read_bytes()
    with pytest.raises(StoreTooNew):
        older.run(holder)
    with pytest.raises(StoreTooNew):
        older.read(lambda view: view.count())
    assert path.read_bytes() == after
    older.close()
