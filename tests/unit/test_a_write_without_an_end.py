"""A write of ours that has no end on record yet: nobody else is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import History
from lab.liar import Liar, named

from kiosk.authority.operation import changed_elsewhere
from kiosk.simulation.interference import ProcessDied
from statemachine.operation import Kind, Phase
from storage.records import Sync
from storage.registry import Tx


def test_a_look_while_our_own_write_has_no_end_blames_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The password is written, and whoever wrote it died before it was on record."""
    history = History(named("change"))
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    registry = history.world.registry
    run = registry.run

    def dies(fn: Callable[[Tx], object]) -> object:
        if history.world.directory.writes:
            raise ProcessDied
        return run(fn)

    with monkeypatch.context() as patch:
        patch.setattr(registry, "run", dies)
        with pytest.raises(ProcessDied):
            liar.port.write(liar.id, sealed)
    assert liar.operation.phase is Phase.WRITING
    history.world.restart()
    history.home_screen()
    assert liar.credential.sync_reason != changed_elsewhere.REASON
    history.look()
    assert (liar.credential.sync, liar.credential.sync_reason) == (
        Sync.OUT_OF_STEP,
        "reason.interrupted",
    )
    told = [event.result for event in registry.audit_events()]
    assert changed_elsewhere.REASON not in told, "it was nobody else's hand"
