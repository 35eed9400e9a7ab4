"""A write of ours that has no end on record yet: nobody else is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import History
from lab.liar import LIMITS, Liar, named

from kiosk.authority.errors import NotAsAnnounced
from kiosk.authority.operation import changed_elsewhere
from kiosk.authority.values import Announced, PrepareRequest, Verdict
from kiosk.simulation.interference import ProcessDied
from statemachine.operation import Kind, Phase
from storage.records import Sync
from storage.registry import Tx


def test_a_look_while_our_own_write_has_no_end_blames_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = History(named("change"))
    liar = Liar(history, Kind.CHANGE)
    writes_and_dies(liar, monkeypatch)
    history.home_screen()
    assert liar.credential.sync_reason != changed_elsewhere.REASON
    history.look()
    assert (liar.credential.sync, liar.credential.sync_reason) == (
        Sync.OUT_OF_STEP,
        "reason.interrupted",
    )
    assert nobody_was_blamed(history)


def test_a_form_that_our_own_write_has_overtaken_blames_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was open at one station while another wrote, and died before the end."""
    history = History(named("change"))
    shown = history.announced(LIMITS)
    writes_and_dies(Liar(history, Kind.CHANGE), monkeypatch)
    with pytest.raises(NotAsAnnounced):
        sends_in(history, shown)
    assert nobody_was_blamed(history)


def test_a_form_that_our_own_write_has_ended_before_blames_nobody_else() -> None:
    """What the directory shows is what we wrote since: in step, and said to be."""
    history = History(named("change"))
    shown = history.announced(LIMITS)
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    assert liar.port.write(liar.id, sealed).verdict is Verdict.DONE
    with pytest.raises(NotAsAnnounced):
        sends_in(history, shown)
    assert history.sync() is Sync.IN_STEP
    assert nobody_was_blamed(history)


def writes_and_dies(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is written, and whoever wrote it died before it was on record."""
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    world = liar.history.world
    run = world.registry.run

    def dies(fn: Callable[[Tx], object]) -> object:
        if world.directory.writes:
            raise ProcessDied
        return run(fn)

    with monkeypatch.context() as patch:
        patch.setattr(world.registry, "run", dies)
        with pytest.raises(ProcessDied):
            liar.port.write(liar.id, sealed)
    assert liar.operation.phase is Phase.WRITING
    world.restart()


def sends_in(history: History, shown: Announced) -> None:
    """Send in a form as it was shown."""
    history.world.authority.port.prepare(
        PrepareRequest(
            credential=history.holder.credential,
            kind=Kind.CHANGE,
            seen=history.seen(LIMITS),
            announced=shown,
        )
    )


def nobody_was_blamed(history: History) -> bool:
    events = history.world.registry.audit_events()
    return changed_elsewhere.REASON not in [event.result for event in events]
