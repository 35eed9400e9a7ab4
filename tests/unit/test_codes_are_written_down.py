"""Who gave a code, who used it and who guessed one stands in the evidence, each once.

And what a code or an escrowed secret opens is what it was given for, while that lasts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from lab.histories import STORIES, History
from lab.liar import LIMITS, Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import CodeRefused, EntriesPaused, ProofFailed, Refused
from kiosk.authority.escrow import approvals
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.codes import new_code
from kiosk.visit.views import FieldName
from statemachine.lifecycle import State
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.errors import RecordMissing
from storage.records import ApprovalKind, FirstPin, UnblockMethod
from storage.vault import Vault

CHANGE, UNBLOCK, BY_CODE = STORIES[0], STORIES[3], named("activate by code")
CODE = ApprovalKind.RELEASE


def given(history: History, credential: str, *, last_try: bool = False) -> Secret:
    return approvals.issue_code(
        history.world.parts,
        credential=credential,
        kind=CODE,
        operator="hanna@ad.test",
        station="desk-1",
        valid_for=600.0,
        last_try=last_try,
    )


def wrong(code: Secret) -> Secret:
    """Well formed, and another."""
    entropy = SeededEntropy(3)
    return next(each for _ in range(9) if not (each := new_code(entropy)).matches(code))


def written(history: History) -> list[str]:
    events = history.world.registry.audit_events()
    return [each.kind for each in events if each.kind.startswith("approval.")]


@pytest.mark.parametrize("last_try", [False, True])
def test_who_gave_a_code_is_written_down_and_what_it_lets_be_spent(
    *, last_try: bool
) -> None:
    history = History(UNBLOCK)
    given(history, history.holder.credential, last_try=last_try)
    event = list(history.world.registry.audit_events())[-1]
    assert (event.kind, event.actor) == ("approval.release_issued", "hanna@ad.test")
    assert (event.station, event.credential) == ("desk-1", history.holder.credential)
    assert event.data["seconds"] == "600"
    assert event.data.get("last_try") == ("yes" if last_try else None)


def test_no_code_is_given_for_what_is_not_on_record() -> None:
    history = History(UNBLOCK)
    with pytest.raises(RecordMissing):
        given(history, "nobodys")
    assert written(history) == []


def test_each_entry_is_written_down_once() -> None:
    """Wrong beside a card that proved nothing, wrong beside the card, and right."""
    history = History(UNBLOCK)
    liar = Liar(history, Kind.UNBLOCK)
    code = history.world.release_code("alice")
    with pytest.raises(Exception, match="not_proven"):
        liar.port.redeem(liar.id, CODE, wrong(code))
    assert written(history)[-1] == "approval.unproven_entry"
    liar.prove_card()
    with pytest.raises(CodeRefused):
        liar.port.redeem(liar.id, CODE, wrong(code))
    assert written(history)[-1] == "approval.wrong_entry"
    liar.port.redeem(liar.id, CODE, code)
    assert written(history)[1:] == [
        "approval.unproven_entry",
        "approval.wrong_entry",
        "approval.redeemed",
    ]


def test_a_right_code_ends_the_pause_of_its_station() -> None:
    """Who mistyped twice does not make the next person wait."""
    history = History(named("unblock, no 9E"))
    prepared = history.prepare(Kind.UNBLOCK, LIMITS)
    port, code = history.world.authority.port, history.world.release_code("alice")
    for _ in range(2):
        with pytest.raises(CodeRefused):
            port.redeem(prepared.operation, CODE, wrong(code))
    port.redeem(prepared.operation, CODE, code)
    again = history.prepare(Kind.UNBLOCK, LIMITS)
    code = history.world.release_code("alice")
    for _ in range(2):
        with pytest.raises(CodeRefused):
            port.redeem(again.operation, CODE, wrong(code))
    with pytest.raises((CodeRefused, EntriesPaused)) as third:
        port.redeem(again.operation, CODE, wrong(code))
    assert isinstance(third.value, CodeRefused), "they were forgiven"


def test_a_card_that_had_a_pin_needs_no_activation_code_once_it_is_blocked() -> None:
    story = dataclasses.replace(UNBLOCK, first_pin=FirstPin.ACTIVATION_CODE)
    history = History(story)
    registry, which = history.world.registry, history.holder.credential
    registry.run(
        lambda tx: tx.save_credential(
            replace(
                tx.credential(which),
                state=State.BLOCKED,
                pin_changed_at=history.world.clock.now(),
            )
        )
    )
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    fields = visit.begin(Kind.UNBLOCK).fields
    assert fields == (FieldName.RELEASE_CODE, FieldName.NEW_PIN)


@pytest.mark.parametrize(("seconds", "good"), [(599.5, True), (600.0, False)])
def test_a_release_code_is_good_for_ten_minutes(seconds: float, *, good: bool) -> None:
    history = History(UNBLOCK)
    code = history.world.release_code("alice")
    history.world.clock.sleep(seconds)
    liar = Liar(history, Kind.UNBLOCK)
    liar.prove_card()
    with nullcontext() if good else pytest.raises(CodeRefused):
        liar.port.redeem(liar.id, CODE, code)


# --- what leaves the escrow ---------------------------------------------------------


def opened() -> Liar:
    """An activation whose code was redeemed."""
    liar = Liar(History(BY_CODE), Kind.ACTIVATE)
    code = liar.history.world.activation_code("alice")
    liar.redeem(ApprovalKind.ACTIVATION, code)
    return liar


def refusal(call: Callable[[], object]) -> Message:
    with pytest.raises(Refused) as why:
        call()
    return why.value.reason


def test_a_transport_pin_that_leaves_is_written_down() -> None:
    liar = opened()
    released = liar.port.release(liar.id, *liar.presence(), None).transport
    assert released is not None
    released.wipe()
    kinds = [each.kind for each in liar.history.world.registry.audit_events()]
    assert kinds.count("escrow.released") == 1


def test_who_was_given_a_transport_pin_is_given_no_puk() -> None:
    liar = opened()
    released = liar.port.release(liar.id, *liar.presence(), None).transport
    assert released is not None
    released.wipe()
    assert refusal(lambda: liar.port.puk_next(liar.id, (), None)) == Message(
        "stop.nothing_in_escrow"
    )


def test_nothing_leaves_for_an_operation_that_has_ended() -> None:
    liar = opened()
    presence = liar.presence()
    liar.port.refuse(liar.id, Message("stop.cancelled"))
    assert refusal(lambda: liar.port.release(liar.id, *presence, None)) == Message(
        "stop.operation_ended"
    )


def test_a_proof_of_presence_that_is_none_is_written_down_as_that() -> None:
    liar = opened()
    nonce, _ = liar.presence()
    with pytest.raises(ProofFailed):
        liar.port.release(liar.id, nonce, b"nothing", None)
    event = list(liar.history.world.registry.audit_events())[-1]
    assert event.kind == "escrow.proof_failed"


def test_what_the_vault_opened_for_a_secret_is_wiped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The secret has a copy of its own, which whoever took it wipes."""
    liar = opened()
    vault = liar.history.world.parts.vault
    plain: list[bytearray] = []
    by_itself = type(vault).open

    def keeping(self: Vault, envelope: str, **where: str) -> bytearray:
        plain.append(by_itself(self, envelope, **where))
        return plain[-1]

    monkeypatch.setattr(type(vault), "open", keeping)
    released = liar.port.release(liar.id, *liar.presence(), None).transport
    assert released is not None
    with released:
        assert released.matches(Secret(liar.history.story.pin))
    assert plain
    assert not any(any(each) for each in plain)


def test_a_proof_without_a_pin_is_written_down_whatever_it_was() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    nonce, _ = liar.presence()
    with pytest.raises(ProofFailed):
        liar.port.prove_card(liar.id, nonce, b"nothing")
    liar.prove_card()
    kinds = [each.kind for each in liar.history.world.registry.audit_events()]
    assert kinds[-2:] == ["escrow.proof_failed", "escrow.card_proven"]


# --- whose PUK is replaced -----------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "holders"),
    [(Known.CURRENT, False), (Known.DUE, True), (Known.FACTORY, True)],
)
def test_a_puk_that_is_the_holders_or_is_not_due_is_not_replaced(
    known: Known, *, holders: bool
) -> None:
    unblock = (UnblockMethod.HOLDER_PUK if holders else UnblockMethod.RELEASE_CODE,)
    history = History(dataclasses.replace(CHANGE, unblock=unblock))
    registry, which = history.world.registry, history.holder.credential
    registry.run(
        lambda tx: tx.save_credential(
            replace(
                tx.credential(which),
                escrow=replace(tx.credential(which).escrow, known=known),
            )
        )
    )
    liar = Liar(history, Kind.CHANGE)
    liar.prove_card()
    before = liar.credential.escrow
    assert liar.port.puk_plan(liar.id, None) is None
    assert liar.credential.escrow == before
