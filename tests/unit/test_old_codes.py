"""Codes that ended long ago cost an embedded registry no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.registries import approval, credential, operation

from storage.registry import Tx
from storage.tinydb_registry import CODES_KEPT_SECONDS, TinyDbRegistry

LATER = 600.0 + CODES_KEPT_SECONDS
"""When the first of them has been over for as long as it is kept."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[TinyDbRegistry]:
    made = TinyDbRegistry(tmp_path / "registry.journal")
    yield made
    made.close()


def left(registry: TinyDbRegistry) -> list[str]:
    found = registry.read(lambda view: view.approvals("c1", limit=9999))
    return sorted(each.id for each in found)


def test_a_code_is_kept_for_a_month_after_its_end(registry: TinyDbRegistry) -> None:
    registry.run(lambda tx: tx.save_approval(approval("first", 0.0)))
    registry.run(lambda tx: tx.save_approval(approval("second", 9.0)))
    registry.idle(LATER)
    assert left(registry) == ["first", "second"]
    registry.idle(LATER + 3601.0)
    assert left(registry) == []


def test_of_many_each_is_forgotten(registry: TinyDbRegistry) -> None:
    def give(tx: Tx) -> None:
        for number in range(450):
            tx.save_approval(approval(f"a{number}", 0.0))

    registry.run(give)
    while registry.idle(LATER + 1.0):
        pass
    assert left(registry) == []


def test_what_a_living_operation_rests_on_is_kept(registry: TinyDbRegistry) -> None:
    registry.run(lambda tx: tx.save_credential(credential("c1", "card-1")))
    live = registry.run(lambda tx: tx.save_operation(operation("o1", credential="c1")))
    registry.run(
        lambda tx: tx.save_approval(approval("mine", 0.0, redeemed_by=live.id))
    )
    registry.idle(LATER + 1.0)
    assert left(registry) == ["mine"]


def test_they_are_gone_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "registry.journal"
    registry = TinyDbRegistry(path)
    registry.run(lambda tx: tx.save_approval(approval("first", 0.0)))
    registry.idle(LATER + 1.0)
    registry.close()
    registry = TinyDbRegistry(path)
    assert left(registry) == []
    registry.close()
