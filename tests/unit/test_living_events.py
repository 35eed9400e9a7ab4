"""A credential's living events: found without a look at everybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from lab.registries import draft

from storage.registry import Tx
from storage.tinydb_indexes import AUDIT
from storage.tinydb_registry import TinyDbRegistry

SEALING = {"living": 5, "batch": 4}


def found(registry: TinyDbRegistry, credential: str = "c1") -> list[float]:
    events = registry.read(lambda view: view.events(credential=credential, limit=99))
    return [event.at for event in events]


def add(tx: Tx, at: float, credential: str = "c1") -> None:
    tx.audit(draft(at, f"k{int(at) % 2}", credential=credential))


class OnlyByKey(Mapping[str, bytes]):
    """Documents that nobody may go through."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def __getitem__(self, key: str) -> bytes:
        return self._documents[key]

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("everybody's events were gone through")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


@pytest.fixture
def registry(path: Path) -> Iterator[TinyDbRegistry]:
    """Where somebody has looked at a credential's page."""
    registry = TinyDbRegistry(path, sealing=SEALING)
    for number in range(9):
        registry.run(lambda tx, n=number: add(tx, float(n), f"c{n % 3}"))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    assert found(registry) == [1.0, 4.0, 7.0]
    yield registry
    registry.close()


def test_nobody_elses_events_are_gone_through(
    registry: TinyDbRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = registry.db.storage.journal
    committed = journal.committed

    def by_key(table: str) -> Mapping[str, bytes]:
        documents = committed(table)
        return OnlyByKey(documents) if table == AUDIT else documents

    monkeypatch.setattr(journal, "committed", by_key)
    assert found(registry) == [1.0, 4.0, 7.0]
    assert found(registry, "nobody") == []


def test_a_transaction_finds_what_it_added_and_what_is_given_up_is_gone(
    registry: TinyDbRegistry,
) -> None:
    def given_up(tx: Tx) -> None:
        add(tx, 20.0)
        add(tx, 21.0, "c2")
        events = tx.events(credential="c1", limit=99)
        assert [event.at for event in events] == [1.0, 4.0, 7.0, 20.0]
        raise LookupError

    with suppress(LookupError):
        registry.run(given_up)
    assert found(registry) == [1.0, 4.0, 7.0]
    registry.run(lambda tx: add(tx, 22.0))
    assert found(registry) == [1.0, 4.0, 7.0, 22.0]


def test_what_another_process_added_and_sealed_is_found_once(
    registry: TinyDbRegistry, path: Path
) -> None:
    other = TinyDbRegistry(path, sealing=SEALING)
    for at in (30.0, 31.0):
        other.run(lambda tx, at=at: add(tx, at))  # type: ignore[misc]  # the same
    assert found(registry) == [1.0, 4.0, 7.0, 30.0, 31.0]
    while other.evidence.seal():
        pass
    other.close()
    assert registry.evidence.has_segments is False, "not looked yet"
    assert found(registry) == [1.0, 4.0, 7.0, 30.0, 31.0]
    assert registry.evidence.has_segments


def test_what_is_sealed_and_compacted_is_found_once(registry: TinyDbRegistry) -> None:
    while registry.evidence.seal():
        pass
    assert found(registry) == [1.0, 4.0, 7.0]
    registry.db.storage.journal.compact()
    registry.run(lambda tx: add(tx, 40.0))
    assert found(registry) == [1.0, 4.0, 7.0, 40.0]
    assert found(registry, "c2") == [2.0, 5.0, 8.0]
