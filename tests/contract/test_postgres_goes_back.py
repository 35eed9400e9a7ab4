"""A database whose new primary lacks the last commits, under a running authority."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.registries import approval, consume, draft, nonce
from lab.servers import postgres

from kiosk.authority.proof.checkpointed_registry import OLDER, CheckpointedRegistry
from kiosk.core.clock import ManualClock
from kiosk.simulation.world import World
from storage import audit
from storage.high_water import HighWaterMark
from storage.postgres.connection import connect
from storage.postgres_registry import PostgresRegistry
from storage.registry import Tx


@pytest.mark.parametrize("is_idle_first", [False, True])
def test_what_was_given_out_before_is_void_at_the_next_commit(
    tmp_path: Path, is_idle_first: bool
) -> None:
    conninfo = postgres.server().database()
    registry = CheckpointedRegistry(
        PostgresRegistry(conninfo),
        vault=World().parts.vault,
        clock=ManualClock(),
        station="kiosk-1",
        mark=HighWaterMark(tmp_path / "seen", "database"),
    )
    registry.run(lambda tx: tx.issue_nonce(nonce(expires_at=2e9)))
    registry.run(lambda tx: tx.save_approval(approval("a1", 1.0, expires_at=2e9)))
    registry.run(lambda tx: tx.audit(draft()))
    lane = audit.shared_lane("k1")
    before = registry.read(lambda view: view.heads())[lane]
    registry.run(lambda tx: tx.audit(draft()))
    with connect(conninfo) as owner:
        owner.execute(
            "DELETE FROM evidence WHERE lane = %s AND seq > %s", [lane, before.seq]
        )
        owner.execute(
            "UPDATE evidence_head SET seq = %s, hash = %s WHERE lane = %s",
            [before.seq, before.hash, lane],
        )
    if is_idle_first:
        registry.idle(1.0)

    def use(tx: Tx) -> bool:
        tx.audit(draft())
        return consume(tx)

    assert not registry.run(use)
    (code,) = registry.read(lambda view: view.approvals("c1", limit=9))
    assert code.spent
    kinds = [event.kind for event in registry.audit_events()]
    assert kinds.count(OLDER) == 1
    assert audit.verify(registry.audit_events()).is_sound
    registry.close()
