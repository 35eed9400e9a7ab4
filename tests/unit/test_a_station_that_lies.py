"""A station that leaves steps out, repeats them, or brings what is not its own.

It talks to the authority's port directly, as nobody's visit does. What it gets is what
the record allows, whatever was asked before; every door is tried by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.domain.other_hands import Meddled, Moment
from lab.histories import NEW, STORIES, History, Story
from lab.liar import LIMITS, Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import escrowed_secrets, puk_unblock, puks
from kiosk.authority.proof import seal, signature
from kiosk.authority.values import OpenRequest, SeenCard
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.domain_faults import Frozen
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from statemachine.candidates import Label
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind, Phase
from statemachine.puk import Known
from storage.records import (
    ApprovalKind,
    Keyless,
    PinPolicy,
    PublicKey,
    Sync,
    UnblockMethod,
)
from storage.registry import Tx

CHANGE, ACTIVATE, BY_CODE, UNBLOCK = STORIES[:4]


def refused(call: Callable[[], object]) -> str:
    """Return why it was refused; it must be."""
    with pytest.raises(Refused) as why:
        call()
    return why.value.reason.key


def code_of(history: History, kind: ApprovalKind) -> Secret:
    if kind is ApprovalKind.RELEASE:
        return history.world.release_code("alice")
    return history.world.activation_code("alice")


# --- codes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "kind"),
    [(UNBLOCK, ApprovalKind.RELEASE), (BY_CODE, ApprovalKind.ACTIVATION)],
    ids=["release", "activation"],
)
def test_a_code_is_worthless_once_its_card_has_changed(
    story: Story, kind: ApprovalKind
) -> None:
    history = History(story)
    code = code_of(history, kind)
    history.world.release_code = lambda name: code.copy()  # type: ignore[method-assign]  # the one that is watched
    history.world.activation_code = lambda name: code.copy()  # type: ignore[method-assign]  # the same
    history.attempt()
    approvals = history.world.registry.run(
        lambda tx: tx.approvals(history.holder.credential, limit=9)
    )
    assert [each.spent for each in approvals] == [True]


def test_the_same_code_opens_no_second_unblock() -> None:
    history = History(UNBLOCK)
    code = history.world.release_code("alice")
    first = Liar(history, Kind.UNBLOCK)
    first.redeem(ApprovalKind.RELEASE, code.copy())
    first.port.release(first.id, *first.presence(), None)
    first.port.card_changed(first.id, Label.CURRENT)
    first.port.leave_out_of_step(first.id, Message("reason.interrupted"))
    second = Liar(history, Kind.UNBLOCK, insert=False)
    with pytest.raises(Exception, match="code_refused"):
        second.redeem(ApprovalKind.RELEASE, code.copy())


@pytest.mark.parametrize(
    "story",
    [UNBLOCK, BY_CODE, named("unblock, never activated, by code")],
    ids=lambda story: story.name,
)
def test_a_card_is_not_changed_before_its_code_was_typed(story: Story) -> None:
    liar = Liar(History(story), story.kind)
    why = refused(lambda: liar.port.card_changing(liar.id))
    assert why in ("stop.code_first", "refusal.operation_order")
    assert liar.operation.phase is not Phase.CARD_CHANGING


def test_a_card_never_activated_needs_its_activation_code_besides() -> None:
    liar = Liar(History(named("unblock, never activated, by code")), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    why = refused(lambda: liar.port.release(liar.id, *liar.presence(), None))
    assert why == "stop.code_first"


def test_both_codes_that_opened_one_card_are_used_up() -> None:
    history = History(named("unblock, never activated, by code"))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    codes = history.world.registry.read(
        lambda view: view.approvals(history.holder.credential, limit=10)
    )
    assert {each.kind for each in codes} == set(ApprovalKind)
    assert all(each.spent for each in codes)


def test_an_interrupted_activation_needs_a_code_again() -> None:
    history = History(ACTIVATE)
    _edit(history, activation_interrupted=True, sync=Sync.OUT_OF_STEP)
    liar = Liar(history, Kind.ACTIVATE)
    why = refused(lambda: liar.port.release(liar.id, *liar.presence(), None))
    assert why == "stop.code_first"
    assert refused(lambda: liar.port.card_changing(liar.id)) == "stop.code_first"


def _edit(history: History, **changes: object) -> None:
    def commit(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, **changes))

    history.world.registry.run(commit)


def _template(history: History, **changes: object) -> None:
    def commit(tx: Tx) -> None:
        saved = tx.save_template(replace(tx.template("staff"), **changes))
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, template_version=saved.version))

    history.world.registry.run(commit)


# --- held in the middle ----------------------------------------------------------


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE, Event.RETIRE])
def test_a_card_that_is_held_authorises_nothing(event: Event) -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    liar.history.world.operate("alice", event)
    assert refused(lambda: liar.authorise(liar.sealed())).startswith("stop.")
    assert liar.operation.phase is Phase.PREPARED


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE, Event.RETIRE])
def test_a_card_that_is_held_is_not_changed(event: Event) -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    liar.authorise(liar.sealed())
    liar.history.world.operate("alice", event)
    assert refused(lambda: liar.port.card_changing(liar.id)).startswith("stop.")
    assert liar.operation.phase is Phase.REFUSED


def test_a_card_is_not_changed_on_an_authorisation_that_has_run_out() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    liar.authorise(liar.sealed())
    liar.history.world.clock.sleep(61.0)
    why = refused(lambda: liar.port.card_changing(liar.id))
    assert why == "reason.authorisation_late"


# --- no write --------------------------------------------------------------------


def test_what_was_announced_as_the_card_alone_authorises_no_write() -> None:
    history = History(CHANGE)
    _template(history, pin_policy=PinPolicy(update_ad_password=False))
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    signed = liar.signed(0x9A, b"whatever")
    why = refused(
        lambda: liar.port.authorise(liar.id, bytes(32), signed, sealed, going_on=False)
    )
    assert why == "stop.no_write_wanted"
    assert refused(lambda: liar.port.write(liar.id, sealed))
    assert history.world.directory.writes == []


def test_a_template_that_lost_its_exception_lets_no_keyless_card_write() -> None:
    history = History(named("change, keyless"))
    liar = Liar(history, Kind.CHANGE)
    liar.prove_card()
    code = history.world.release_code("alice")
    liar.port.redeem(liar.id, ApprovalKind.RELEASE, code)
    _template(history, keyless=Keyless.OFF)
    with pytest.raises(ProofFailed):
        liar.port.authorise(liar.id, b"", b"", liar.sealed(), going_on=False)


def test_what_was_signed_is_in_the_evidence() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    (event,) = [
        event
        for event in liar.history.world.registry.audit_events()
        if (event.operation, event.kind) == (liar.id, "operation.authorised")
    ]
    assert {"statement", "signature", "key", "key_sha256"} <= set(event.data)
    assert event.data["sealed_sha256"] == seal.digest(sealed).hex()


# --- ways back -------------------------------------------------------------------


@pytest.mark.parametrize("is_over", [True, False])
def test_nobody_learns_by_asking_what_an_earlier_pin_was(*, is_over: bool) -> None:
    """Without the card's signature a right guess is refused like a wrong one."""
    history = History(CHANGE)
    policy = history.world.registry.read(lambda it: it.template("staff")).pin_policy
    _template(history, pin_policy=replace(policy, history=3))
    history.attempt()
    assert history.world.credential("alice").pin_history_sealed
    for guess in (b"485921", NEW):
        liar = Liar(history, Kind.CHANGE, insert=False)
        if is_over:
            liar.port.refuse(liar.id, Message("reason.not_written"))
        sealed = liar.sealed(guess)
        with pytest.raises(ProofFailed):
            liar.port.authorise(liar.id, b"x" * 32, b"", sealed, going_on=False)


def test_a_way_back_that_failed_is_out_of_step() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    liar.history.domain.change_account(
        liar.history.holder.account_guid, privileged=True
    )
    assert liar.port.write(liar.id, sealed).roll_back
    liar.port.rolled_back(liar.id, restored=False)
    assert liar.operation.phase is Phase.OUT_OF_STEP
    assert liar.credential.sync is Sync.OUT_OF_STEP


# --- what leaves the authority -----------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.ACTIVATE])
def test_an_operation_that_needs_nothing_from_escrow_gets_nothing(kind: Kind) -> None:
    liar = Liar(History(CHANGE if kind is Kind.CHANGE else ACTIVATE), kind)
    why = refused(lambda: liar.port.release(liar.id, *liar.presence(), None))
    assert why == "stop.nothing_in_escrow"


def test_an_unblock_of_another_way_gets_no_puk() -> None:
    liar = Liar(History(named("unblock, holder's PUK")), Kind.UNBLOCK)
    assert liar.operation.method is UnblockMethod.HOLDER_PUK
    why = refused(lambda: liar.port.release(liar.id, *liar.presence(), None))
    assert why == "stop.nothing_in_escrow"


def test_a_puk_that_nobody_released_is_not_handed_out() -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    why = refused(lambda: liar.port.puk_next(liar.id, (), None))
    assert why == "stop.nothing_in_escrow"
    assert not puks.is_due(liar.credential.escrow)


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE])
def test_no_second_puk_of_a_card_that_was_held_since_the_first(event: Event) -> None:
    """The next one may be the one that opens it."""
    history = History(UNBLOCK)

    def wait_for_another(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        pending = escrowed_secrets.seal_field(
            history.world.parts,
            credential.id,
            escrowed_secrets.PENDING,
            Secret(b"97531864"),
        )
        escrow = replace(
            credential.escrow,
            known=Known.PENDING,
            pending_sealed=pending,
            pending_placings=1,
        )
        tx.save_credential(replace(credential, escrow=escrow))

    history.world.registry.run(wait_for_another)
    liar = Liar(history, Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, history.world.release_code("alice"))
    first = liar.port.release(liar.id, *liar.presence(), None).puk
    assert first is not None
    liar.port.puk_wrong(liar.id, first.label, None)
    history.world.operate("alice", event)
    reason = refused(lambda: liar.port.puk_next(liar.id, (first.label,), None))
    assert reason == f"stop.{liar.credential.state}"


def test_a_puk_is_handed_out_once_in_an_operation() -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.reset_card()
    why = refused(lambda: liar.port.puk_next(liar.id, (Label.CURRENT,), None))
    assert why == "stop.puk_used_up"


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE, Event.RETIRE])
def test_no_puk_is_opened_for_a_card_that_is_held(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    proof = liar.presence()
    liar.history.world.operate("alice", event)
    opened: list[Secret] = []
    value = puk_unblock.value

    def seen(*args: Any) -> Secret:
        opened.append(value(*args))
        return opened[-1]

    monkeypatch.setattr(puk_unblock, "value", seen)
    why = refused(lambda: liar.port.release(liar.id, *proof, None))
    assert why == f"stop.{liar.credential.state}"
    assert liar.operation.phase is Phase.REFUSED
    assert opened == []


def test_a_typed_puk_costs_a_try_before_the_card_has_said_anything() -> None:
    liar = Liar(History(named("unblock, holder's PUK")), Kind.UNBLOCK)
    before = puks.of(liar.credential.escrow).left
    liar.port.puk_typed(liar.id, None)
    assert puks.of(liar.credential.escrow).left == before - 1


def test_replacing_a_puk_does_not_spend_its_last_try() -> None:
    history = History(CHANGE)
    escrow = history.world.credential("alice").escrow
    _edit(history, escrow=replace(escrow, known=Known.DUE, left=1))
    liar = Liar(history, Kind.CHANGE)
    liar.authorise(liar.sealed())
    assert refused(lambda: liar.port.puk_plan(liar.id, None)) == "stop.puk_last_try"


@pytest.mark.parametrize(
    "tell", ["puk_replaced", "puk_accepted", "puk_new_refused", "puk_unheard"]
)
def test_what_cannot_have_happened_to_a_puk_is_refused_and_changes_nothing(
    tell: str,
) -> None:
    """A message that comes twice, or that nobody should have sent."""
    liar = Liar(History(CHANGE), Kind.CHANGE)
    before = liar.credential
    label = () if tell == "puk_replaced" else (Label.PENDING,)
    said = refused(lambda: getattr(liar.port, tell)(liar.id, *label))
    assert said == "refusal.puk_order"
    assert liar.credential == before


# --- who the card is ---------------------------------------------------------------


def test_a_signature_by_another_key_is_no_proof_of_presence() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    challenge = liar.port.challenge_presence(liar.credential.id)
    assert challenge is not None
    other = ec.generate_private_key(ec.SECP256R1())
    signed = other.sign(challenge.message, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(ProofFailed):
        liar.port.prove_card(liar.id, challenge.nonce, signed)
    assert not liar.operation.card_proven


def test_a_proof_of_presence_counts_once() -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    proof = liar.presence()
    liar.port.prove_card(liar.id, *proof)
    with pytest.raises(ProofFailed):
        liar.port.prove_card(liar.id, *proof)


@pytest.mark.parametrize(("seconds", "holds"), [(119.9, True), (120.0, False)])
def test_a_proof_of_presence_is_of_the_last_two_minutes(
    seconds: float, holds: bool
) -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    proof = liar.presence()
    liar.history.world.clock.sleep(seconds)
    with nullcontext() if holds else pytest.raises(ProofFailed):
        liar.port.prove_card(liar.id, *proof)


def test_a_card_that_proves_nothing_blocks_nobodys() -> None:
    history = History(CHANGE)
    port = history.world.authority.port
    challenge = port.challenge_presence(history.holder.credential)
    assert challenge is not None
    with pytest.raises(ProofFailed):
        port.prove_presence(
            history.holder.credential,
            challenge.nonce,
            b"\x30\x00",
            OpenRequest(
                card=history.holder.made.identity.key,
                seen=SeenCard(limits=LIMITS, tries_left=0),
            ),
        )
    assert history.world.credential("alice").state is State.ACTIVE
    (told,) = [
        (each.actor, each.station, each.credential)
        for each in history.world.registry.audit_events()
        if each.kind == "credential.presence_failed"
    ]
    assert told == ("card", history.world.settings.station, history.holder.credential)


# --- what another station left, once the card has proven itself here ----------------


def at_the_annex(history: History) -> Kind | None:
    """The card is pulled and inserted elsewhere; what is recommended there."""
    history.world.readers.pull()
    history.world.readers.faults.set()
    card = history.world.readers.insert(history.holder.made.card)
    home = history.world.visit(card, "annex").recognise()
    return next((each.kind for each in home.actions if each.recommended), None)


def ended(history: History) -> tuple[str, str]:
    """How the last operation ended, and why; none goes on."""
    assert history.world.registry.read(lambda it: it.unfinished()) == 0
    events = history.world.registry.audit_events()
    last = [each for each in events if each.kind.startswith("operation.")][-1]
    return last.kind, last.result


def test_what_had_changed_nothing_is_superseded_by_the_card_itself() -> None:
    history = History(CHANGE)
    Liar(history, Kind.CHANGE)
    assert at_the_annex(history) is Kind.CHANGE
    assert ended(history) == ("operation.refused", "reason.superseded")


def test_a_finish_that_died_in_its_write_is_ended_by_the_card_itself() -> None:
    """It touched no card, but the password may have been written."""
    history = History(named("finish"))
    parts, domain = history.world.parts, history.domain

    def spoil(world: World) -> None:
        domain.fail(Frozen(stays=True))
        meddled = Meddled(domain, Moment.BEFORE, die)
        object.__setattr__(world.parts, "directory", meddled)

    assert history.attempt(spoil) is None
    object.__setattr__(parts, "directory", domain)
    domain.heal()
    history.world.clock.sleep(parts.write_deadline)
    assert at_the_annex(history) is Kind.FINISH
    assert ended(history) == ("operation.out_of_step", "reason.interrupted")


def test_a_card_that_was_blocked_before_it_was_ever_activated_is_seen_as_blocked() -> (
    None
):
    """By somebody who had it before its holder: only a code and the PUK open it."""
    history = History(named("unblock, never activated"))
    assert history.world.credential("alice").state is State.ISSUED
    history.home_screen()
    credential = history.world.credential("alice")
    assert credential.state is State.BLOCKED
    assert credential.sync is Sync.NEVER


def test_a_card_that_was_unblocked_elsewhere_is_out_of_step() -> None:
    history = History(UNBLOCK)
    history.home_screen()
    blocked = history.world.credential("alice")
    assert blocked.state is State.BLOCKED
    assert blocked.sync is Sync.IN_STEP, "that it is blocked changes no PIN"
    history.holder.made.card.set_tries(pin=3)
    history.home_screen()
    credential = history.world.credential("alice")
    assert credential.state is State.ACTIVE
    assert credential.sync is Sync.OUT_OF_STEP
    assert credential.sync_reason == "reason.unblocked_elsewhere"


# --- marks of other hands ----------------------------------------------------------


def test_a_password_changed_elsewhere_is_written_down_once() -> None:
    history = History(CHANGE)
    history.world.clock.sleep(60.0)
    with Secret(b"Helpdesk-4711") as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)
    for _ in range(2):
        history.home_screen()
    marks = [
        event
        for event in history.world.registry.audit_events()
        if event.kind == "credential.out_of_step"
    ]
    assert [event.result for event in marks] == ["reason.changed_elsewhere"]


# --- keys on record ------------------------------------------------------------------


@pytest.mark.parametrize("spki", [b"", b"\x30\x03\x02\x01\x01", bytes(64)])
def test_a_key_that_is_none_signs_nothing(spki: bytes) -> None:
    key = PublicKey(slot="9A", algorithm="P-256", spki=spki)
    assert not signature.is_valid(key, b"message", b"signature")


def test_a_key_of_a_kind_that_cannot_sign_signs_nothing() -> None:
    public = x25519.X25519PrivateKey.generate().public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = PublicKey(slot="9A", algorithm="X25519", spki=spki)
    assert not signature.is_valid(key, b"message", b"signature")


# --- the last look -----------------------------------------------------------------


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE, Event.RETIRE])
def test_a_card_that_is_held_after_it_changed_gets_no_password(event: Event) -> None:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    liar.history.world.operate("alice", event)
    verdict = liar.port.write(liar.id, sealed)
    assert verdict.roll_back
    assert liar.history.world.directory.writes == []


def test_an_activation_that_broke_off_at_the_card_never_begins_anew() -> None:
    liar = Liar(History(ACTIVATE), Kind.ACTIVATE)
    liar.authorise(liar.sealed())
    liar.port.card_changing(liar.id)
    liar.port.leave_out_of_step(liar.id, Message("reason.interrupted"))
    assert liar.credential.activation_interrupted
    assert liar.credential.sync is Sync.OUT_OF_STEP
