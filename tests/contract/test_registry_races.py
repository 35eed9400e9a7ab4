"""Every registry that several open at once: what two do at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.registries import (
    IMPLEMENTATIONS,
    SHARED,
    consume,
    credential,
    draft,
    nonce,
    operation,
)
from lab.together import at_once
from msgspec.structs import replace

from statemachine.lifecycle import State
from storage import audit, checkpoints
from storage.completeness import EvidenceSource, judge
from storage.errors import DuplicateRecord, VersionConflict
from storage.registry import Registry, Tx
from storage.signed_note import NoteSigner

HANDS = 4


@pytest.fixture(params=SHARED)
def registries(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[list[Registry]]:
    opened = [IMPLEMENTATIONS[request.param](tmp_path) for _ in range(HANDS)]
    yield opened
    for each in opened:
        each.close()


@pytest.mark.parametrize("round", range(5))
def test_of_several_who_prepare_one_is_live(
    registries: list[Registry], round: int
) -> None:
    registries[0].run(lambda tx: tx.save_credential(credential()))

    def prepare(registry: Registry, number: int) -> None:
        def commit(tx: Tx) -> None:
            for live in tx.live_operations("c1"):
                tx.save_operation(replace(live, ended_at=2.0))
            tx.save_operation(operation(f"o{number}", event=f"{number}"))

        for _ in range(10):
            try:
                registry.run(commit)
            except (DuplicateRecord, VersionConflict):
                continue
            return

    at_once(registries, prepare)
    live = registries[0].read(lambda view: view.live_operations("c1"))
    everything = registries[0].read(lambda view: view.operations("c1", limit=99))
    assert len(live) == 1
    assert sum(each.ended_at is None for each in everything) == 1


@pytest.mark.parametrize("round", range(5))
def test_a_nonce_is_taken_by_one_of_several(
    registries: list[Registry], round: int
) -> None:
    registries[0].run(lambda tx: tx.issue_nonce(nonce()))
    taken = at_once(registries, lambda registry, _: registry.run(consume))
    assert sorted(taken) == [False] * (HANDS - 1) + [True]


def test_who_suspends_and_who_writes_do_not_pass_each_other(
    registries: list[Registry],
) -> None:
    """One reads the credential and writes the operation, the other the reverse."""
    registries[0].run(lambda tx: tx.save_credential(credential()))
    registries[0].run(lambda tx: tx.save_operation(operation()))

    def act(registry: Registry, number: int) -> str:
        def suspend(tx: Tx) -> str:
            if tx.live_operations("c1"):
                return "busy"
            known = tx.credential("c1")
            tx.save_credential(replace(known, state=State.SUSPENDED))
            return "suspended"

        def write(tx: Tx) -> str:
            known, mine = tx.credential("c1"), tx.operation("o1")
            if known.state is not State.ACTIVE or mine.written:
                return "refused"
            tx.save_credential(known)
            tx.save_operation(replace(mine, written=True, ended_at=3.0))
            return "written"

        for _ in range(20):
            try:
                return registry.run(suspend if number % 2 else write)
            except VersionConflict:
                continue
        return "gave up"

    results = at_once(registries, act)
    assert results.count("written") == 1
    assert "gave up" not in results


def test_all_add_to_one_chain(registries: list[Registry]) -> None:
    def add(registry: Registry, number: int) -> None:
        for count in range(10):
            event = draft(float(count), actor=f"a{number}")
            registry.run(lambda tx, event=event: tx.audit(event))  # type: ignore[misc]  # mypy cannot infer a lambda's default

    at_once(registries, add)
    events = list(registries[0].audit_events())
    assert len(events) == HANDS * 10
    assert audit.verify(events).is_sound


def test_who_signs_at_once_signs_one_after_the_other(
    registries: list[Registry],
) -> None:
    """Each checkpoint has its own number, and names no less than the one before."""
    signer = NoteSigner("pin-kiosk/test", bytes(range(32)))

    def act(registry: Registry, number: int) -> None:
        for count in range(8):
            event = draft(float(count), station=f"k{number}{count}")
            registry.run(lambda tx, event=event: tx.audit(event))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            registry.run(lambda tx, at=count: checkpoints.sign(tx, signer, float(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default

    at_once(registries, act)
    opened = registries[0]
    whole = judge(
        EvidenceSource(
            checkpoints=lambda: opened.audit_events(lane=checkpoints.LANE),
            events=opened.audit_events,
        ),
        keys=[signer.key],
    )
    assert whole.fault is None
    assert (whole.uncovered, whole.spans[-1].last) == (0, 8 * HANDS)


def test_who_only_reads_is_not_kept_waiting_and_sees_one_moment(
    registries: list[Registry],
) -> None:
    writer, reader = registries[:2]
    writer.run(lambda tx: tx.save_credential(credential()))
    seen: list[tuple[str, int]] = []

    def look() -> tuple[str, int]:
        return reader.read(
            lambda view: (view.credential("c1").holder, view.unfinished())
        )

    def write(tx: Tx) -> None:
        tx.save_credential(replace(tx.credential("c1"), holder="Zoe"))
        seen.append(look())
        tx.save_operation(operation())
        seen.append(look())

    writer.run(write)
    assert set(seen) == {("Alice", 0)}
    assert look() == ("Zoe", 1)
