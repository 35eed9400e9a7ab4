"""Sealed operations that began at the same moment: pages leave none of them out."""

from __future__ import annotations

from pathlib import Path

from lab.registries import draft, operation

from statemachine.operation import Phase
from storage.records import Operation
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry
from storage.view import ByStart

NAMES = ("o3", "o1", "o4", "o0", "o2")


def test_pages_of_them_are_in_order_and_whole(tmp_path: Path) -> None:
    registry = TinyDbRegistry(
        tmp_path / "registry.journal", sealing={"living": 1, "batch": 2, "ended": 1}
    )
    for number, name in enumerate(NAMES):
        ended = operation(
            name,
            event=f"{number:04d}-0000",
            credential="c1",
            phase=Phase.DONE,
            started_at=1.0,
            ended_at=2.0,
        )

        def commit(tx: Tx, ended: Operation = ended) -> None:
            tx.save_operation(ended)
            tx.audit(draft())

        registry.run(commit)
    while registry.evidence.seal():
        pass
    after, listed = None, list[str]()
    for _ in range(3):
        page = registry.read(
            lambda view, after=after: view.operations("c1", limit=2, after=after)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        )
        listed += [each.id for each in page]
        after = ByStart.of(page[-1])
    assert listed == sorted(NAMES)
    registry.close()
