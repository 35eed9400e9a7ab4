"""A registry moved from each store to each other, at one go or in pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.registries import (
    IMPLEMENTATIONS,
    approval,
    consume,
    credential,
    draft,
    nonce,
    operation,
)
from msgspec.structs import replace

from statemachine.lifecycle import State
from storage import audit, moving
from storage.errors import ChainBroken, StoresDiffer
from storage.records import PublicKey, Template
from storage.registry import Registry, Tx

WAYS = [("tinydb", "postgresql"), ("postgresql", "tinydb, sealed")]


@pytest.fixture(params=WAYS, ids=lambda each: f"{each[0]} to {each[1]}")
def stores(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Registry, Registry]]:
    opened = []
    for name in request.param:
        (folder := tmp_path / name).mkdir()
        opened.append(IMPLEMENTATIONS[name](folder))
    opened[0].run(fill)
    yield opened[0], opened[1]
    for each in opened:
        each.close()


def fill(tx: Tx) -> None:
    for name in ("guest", "staff", "staff"):
        newest = 1 if name == "staff" and tx.templates(limit=9, after="guest") else 0
        tx.save_template(Template(name=name, version=newest, key_slot=f"9{newest}"))
    key = PublicKey(slot="9A", algorithm="P-256", spki=b"s", certificate=b"cert")
    for number in range(12):
        known = credential(
            f"c{number}",
            f"card {number % 9}",
            holder=f"Person {number % 4}",
            state=State.RETIRED if number > 8 else State.ACTIVE,
            authentication_key=key,
        )
        saved = tx.save_credential(known)
        if number % 3 == 0:
            tx.save_credential(saved)
        if number % 2:
            ended = operation(f"e{number}", event=f"e{number}", credential=known.id)
            tx.save_operation(replace(ended, ended_at=2.0, started_at=5.0))
            live = operation(f"o{number}", event=f"o{number}", credential=known.id)
            tx.save_operation(live)
            tx.save_approval(approval(f"a{number}", 1.0, credential=known.id))
    tx.issue_nonce(nonce())
    for number in range(30):
        tx.audit(draft(at=float(number), station=f"k{number % 3}", data={"n": "ä"}))


def test_all_of_it_arrives_and_nothing_that_was_given_out_is_accepted(
    stores: tuple[Registry, Registry],
) -> None:
    source, target = stores
    steps = sum(1 for _ in moving.move(source, target, now=3.0))
    assert steps == 12 + 30
    told = moving.finish(source, target, station="k1", now=4.0)
    assert (told.credentials, told.events) == (12, 30)
    assert told.records == moving.content(source).records
    events = list(target.audit_events())
    assert audit.verify(events).is_sound
    assert next(e for e in events if e.kind == "registry.moved").station == "k1"
    assert not target.run(consume)
    assert target.read(lambda it: it.approvals("c1", limit=9))[0].spent
    assert target.read(lambda it: it.template("staff", 1).key_slot) == "90"
    assert target.read(lambda it: it.unfinished()) == 6


@pytest.mark.parametrize("cut", [1, 5, 13, 30])
def test_a_move_that_was_interrupted_goes_on(
    stores: tuple[Registry, Registry], cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_EVENTS", 4)
    source, target = stores
    for _ in itertools.islice(moving.move(source, target, now=3.0), cut):
        pass
    with pytest.raises(StoresDiffer):
        moving.finish(source, target, station="k1", now=4.0)
    for _ in moving.move(source, target, now=3.0):
        pass
    moving.finish(source, target, station="k1", now=4.0)


def test_another_registry_is_never_overwritten(
    stores: tuple[Registry, Registry],
) -> None:
    source, target = stores
    mine = source.read(lambda it: it.credential("c3"))
    other = replace(mine, version=0, holder="Somebody else", state=State.SUSPENDED)
    target.run(lambda tx: tx.save_credential(other))
    with pytest.raises(StoresDiffer) as differs:
        list(moving.move(source, target, now=3.0))
    assert differs.value.data == {"kind": "credential", "key": "c3"}
    assert target.read(lambda it: it.credential("c3")).holder == "Somebody else"


def test_other_evidence_is_never_gone_on_with(
    stores: tuple[Registry, Registry],
) -> None:
    source, target = stores
    target.run(lambda tx: tx.audit(draft(station="k1", actor="other")))
    with pytest.raises(StoresDiffer) as differs:
        list(moving.move(source, target, now=3.0))
    lane = target.lane_of("k1")
    assert differs.value.data == {"kind": "evidence", "key": f"{lane} 1"}


def test_a_chain_that_is_broken_is_not_moved(
    stores: tuple[Registry, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = stores
    events = list(source.audit_events())
    altered = [replace(e, actor="other") if e.seq == 4 else e for e in events]
    monkeypatch.setattr(source, "audit_events", lambda: iter(altered))
    with pytest.raises(ChainBroken):
        list(moving.move(source, target, now=3.0))
