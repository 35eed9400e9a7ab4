"""Programs of different versions on one registry."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lab.registries import credential

from storage import migrations
from storage.errors import StoreTooNew
from storage.journal import Journal
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry

NEXT = migrations.RECORDS + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    registry = TinyDbRegistry(tmp_path / "registry.journal")
    registry.run(lambda tx: tx.save_credential(credential(holder="Ann")))
    registry.close()
    return tmp_path / "registry.journal"


def rename(journal: Journal) -> None:
    """What a later version might do to every credential."""
    for key in journal.keys("credentials"):
        fields = msgspec.json.decode(journal.get("credentials", key) or b"")
        fields["holder"] = f"Dr {fields['holder']}"
        journal.put("credentials", key, msgspec.json.encode(fields, order="sorted"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Be a program of a later version, until this is undone."""
    monkeypatch.setattr(migrations, "RECORDS", NEXT)
    monkeypatch.setattr(migrations, "SINCE", {1: "0.1.0", NEXT: "7.5.0"})
    monkeypatch.setattr(migrations, "FORWARD", {NEXT - 1: rename})
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
    def fail(journal: Journal) -> None:
        rename(journal)
        raise LookupError

    before = path.read_bytes()
    later.setattr(migrations, "FORWARD", {NEXT - 1: fail})
    with pytest.raises(LookupError):
        TinyDbRegistry(path)
    assert path.read_bytes() == before


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
    later.setattr(migrations, "FORWARD", {NEXT - 1: rename})
    TinyDbRegistry(path).close()
    later.undo()
    after = path.read_bytes()
    with pytest.raises(StoreTooNew):
        older.run(holder)
    with pytest.raises(StoreTooNew):
        older.read(lambda view: view.count())
    assert path.read_bytes() == after
    older.close()
