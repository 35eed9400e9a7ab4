"""A card without a key on record gets one in the middle: from then on it signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab.histories import History
from lab.liar import Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.simulation import on_record
from kiosk.visit.views import Outcome
from statemachine.operation import Kind, Phase
from storage.records import PublicKey, Sync


def confirmed(history: History) -> None:
    """A second officer confirms the key that the card has."""
    world, made = history.world, history.holder.made.authentication
    key = PublicKey(
        slot="9A",
        algorithm=made.algorithm,
        spki=made.spki,
        certificate=made.certificate,
    )
    keyed = replace(world.credential("alice"), authentication_key=key, migrated=False)
    world.registry.run(lambda tx: on_record.record(tx, keyed, world.clock.now()))


def just_before_a_commit(
    history: History, patch: pytest.MonkeyPatch, act: Callable[[History], None]
) -> None:
    """Let it happen when everything has been read and judged."""
    registry = history.world.registry
    run = registry.run

    def meanwhile(fn: Callable[..., Any]) -> Any:
        patch.setattr(registry, "run", run)
        act(history)
        return run(fn)

    patch.setattr(registry, "run", meanwhile)


def test_between_the_judgement_of_the_exception_and_its_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = History(named("unblock, keyless"))
    liar = Liar(history, Kind.UNBLOCK)
    liar.reset_card()
    challenge = liar.port.card_changed(liar.id, None)
    assert challenge is not None, "there is a nonce, though nothing signs it"
    sealed = liar.sealed()
    just_before_a_commit(history, monkeypatch, confirmed)
    with pytest.raises(ProofFailed):
        liar.port.authorise(liar.id, challenge.nonce, b"", sealed, going_on=False)
    assert liar.operation.phase is Phase.OUT_OF_STEP
    assert liar.operation.reason == "reason.signature_wrong"
    assert liar.credential.sync is Sync.OUT_OF_STEP


def test_between_the_exception_and_the_write() -> None:
    history = History(named("change, keyless"))
    world = history.world
    world.authority.after("authorise", lambda: confirmed(history))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.domain.writes == []
    assert history.card_pin() == history.story.pin
    events = list(world.registry.audit_events())
    assert "operation.writing" not in {each.kind for each in events}
    (back,) = [each for each in events if each.kind == "operation.rolling_back"]
    assert back.result == "reason.key_on_record"
    assert unproven_writes(events) == []


def test_once_it_is_there_the_card_signs_and_the_password_follows() -> None:
    history = History(named("change, keyless"))
    confirmed(history)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    events = list(history.world.registry.audit_events())
    assert len([each for each in events if each.kind == "operation.writing"]) == 1
    assert unproven_writes(events) == []
