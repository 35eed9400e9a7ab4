"""The authority against forgers, replayers and swappers; each condition alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace as remade

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lab.histories import NEW, STORIES, History, Story
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused, RulesBroken
from kiosk.authority.escrow import escrowed_secrets, puks
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.proof import seal, statement
from kiosk.authority.values import (
    CardLimits,
    Challenge,
    OpenRequest,
    Prepared,
    PrepareRequest,
    Verdict,
)
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.values import PasswordPolicy
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import Rule
from kiosk.simulation.domain_faults import DcDown, Frozen, WriteNo
from kiosk.simulation.world import World
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.views import Outcome
from statemachine.lifecycle import Event, Lifecycle, State
from statemachine.operation import Kind, Phase
from storage.records import Keyless, Operation, PinPolicy, Sync, Template
from storage.registry import Tx

CHANGE, UNBLOCK = STORIES[0], STORIES[3]
LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


@pytest.fixture
def history() -> History:
    return History(CHANGE)


class Proof:
    """One prepared change, sealed and signed as the card on record would."""

    def __init__(self, history: History, kind: Kind = Kind.CHANGE) -> None:
        self.history = history
        self.authority: Authority = history.world.authority.port
        self.prepared: Prepared = history.prepare(kind, LIMITS)
        assert self.prepared.challenge is not None
        self.challenge: Challenge = self.prepared.challenge
        self.sealed = self.seal(NEW)
        self.signature = self.sign(self.challenge, self.sealed)

    def seal(self, value: bytes, operation: str = "") -> bytes:
        with Secret(value) as secret:
            return seal.seal(
                secret,
                public_key=self.challenge.sealing_key,
                operation=operation or self.prepared.operation,
            )

    def sign(self, challenge: Challenge, sealed: bytes) -> bytes:
        key = self.history.holder.made.card.keys[0x9A]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        message = statement.authorisation(challenge, seal.digest(sealed))
        return key.sign(message, ec.ECDSA(hashes.SHA256()))

    def authorise(self, *, going_on: bool = False, **other: bytes) -> None:
        given = {
            "nonce": self.challenge.nonce,
            "signature": self.signature,
            "sealed": self.sealed,
            **other,
        }
        self.authority.authorise(self.prepared.operation, **given, going_on=going_on)

    def phase(self) -> Phase:
        return self.kept().phase

    def kept(self) -> Operation:
        operation = self.prepared.operation
        return self.history.world.registry.run(lambda tx: tx.operation(operation))


def test_the_card_on_record_is_believed(history: History) -> None:
    proof = Proof(history)
    proof.authorise()
    assert proof.phase() is Phase.AUTHORISED


def test_a_signature_by_another_key_is_refused(history: History) -> None:
    proof = Proof(history)
    other = ec.generate_private_key(ec.SECP256R1())
    message = statement.authorisation(proof.challenge, seal.digest(proof.sealed))
    with pytest.raises(ProofFailed):
        proof.authorise(signature=other.sign(message, ec.ECDSA(hashes.SHA256())))
    assert proof.phase() is Phase.REFUSED
    assert proof.kept().reason == "reason.signature_wrong"


@pytest.mark.parametrize("garbage", [b"", b"\x00", b"\x30\x06\x02\x01\x00\x02\x01\x00"])
def test_a_signature_that_is_none_is_refused(history: History, garbage: bytes) -> None:
    with pytest.raises(ProofFailed):
        Proof(history).authorise(signature=garbage)


def test_a_swapped_value_is_refused(history: History) -> None:
    proof = Proof(history)
    with pytest.raises(ProofFailed):
        proof.authorise(sealed=proof.seal(b"926535"))


def test_a_value_swapped_after_the_proof_is_not_written(history: History) -> None:
    proof = Proof(history)
    proof.authorise()
    proof.authority.card_changing(proof.prepared.operation)
    proof.authority.card_changed(proof.prepared.operation, None)
    verdict = proof.authority.write(proof.prepared.operation, proof.seal(b"926535"))
    assert verdict.reason is not None
    assert verdict.reason.key == "reason.sealed_swapped"
    assert history.world.directory.writes == []


@pytest.mark.parametrize(
    "field", ["operation", "kind", "credential", "account_guid", "station", "nonce"]
)
def test_a_signature_for_anything_else_is_refused(history: History, field: str) -> None:
    proof = Proof(history)
    others: dict[str, object] = {
        "operation": "other",
        "kind": Kind.FINISH,
        "credential": "other",
        "account_guid": "00000000-0000-0000-0000-000000000000",
        "station": "kiosk-2",
        "nonce": b"\x00" * 32,
    }
    changed = replace(proof.challenge, **{field: others[field]})
    with pytest.raises(ProofFailed):
        proof.authorise(signature=proof.sign(changed, proof.sealed))


def test_a_replayed_proof_is_refused(history: History) -> None:
    proof = Proof(history)
    proof.authorise()
    with pytest.raises((ProofFailed, Refused)):
        proof.authorise()


def test_an_expired_nonce_is_refused(history: History) -> None:
    proof = Proof(history)
    history.world.clock.sleep(120.0)
    with pytest.raises(ProofFailed):
        proof.authorise()
    assert proof.kept().reason == "reason.nonce_stale"


def test_who_does_not_say_what_was_seen_may_go_on_where_the_rest_is_as_it_was(
    history: History,
) -> None:
    """A station of an earlier version: it is looked at again before the write."""
    told = replace(history.announced(LIMITS), seen=None)
    request = PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=told,
    )
    assert history.world.authority.port.prepare(request).challenge is not None


def test_a_nonce_of_an_earlier_operation_is_refused(history: History) -> None:
    earlier, later = Proof(history), Proof(history)
    assert earlier.phase() is Phase.REFUSED, "superseded"
    with pytest.raises(ProofFailed):
        later.authorise(
            nonce=earlier.challenge.nonce,
            signature=later.sign(
                replace(later.challenge, nonce=earlier.challenge.nonce), later.sealed
            ),
        )


def test_the_rules_are_held_against_the_sealed_value(history: History) -> None:
    proof = Proof(history)
    weak = proof.seal(b"123456")
    with pytest.raises(RulesBroken) as broken:
        proof.authorise(sealed=weak, signature=proof.sign(proof.challenge, weak))
    assert broken.value.data == {"rule": Rule.NOT_WEAK}


def test_an_authorisation_writes_once(history: History) -> None:
    proof = Proof(history)
    proof.authorise()
    operation = proof.prepared.operation
    proof.authority.card_changing(operation)
    proof.authority.card_changed(operation, None)
    proof.authority.write(operation, proof.sealed)
    with pytest.raises(Refused):
        proof.authority.write(operation, proof.sealed)
    assert len(history.world.directory.writes) == 1


@pytest.mark.parametrize(("why", "another"), [("policy", True), ("no_right", False)])
def test_another_pin_helps_only_where_the_directorys_policy_said_no(
    history: History, why: str, another: bool
) -> None:
    proof = Proof(history)
    proof.authorise()
    proof.authority.card_changing(proof.prepared.operation)
    proof.authority.card_changed(proof.prepared.operation, None)
    history.domain.fail(WriteNo(why=why))
    verdict = proof.authority.write(proof.prepared.operation, proof.sealed)
    assert verdict.may_choose_another is another
    assert verdict.roll_back
    assert proof.phase() is Phase.ROLLING_BACK


def test_a_write_without_an_answer_says_why_it_is_out_of_step(history: History) -> None:
    proof = Proof(history)
    proof.authorise()
    proof.authority.card_changing(proof.prepared.operation)
    proof.authority.card_changed(proof.prepared.operation, None)
    history.domain.fail(Frozen())
    verdict = proof.authority.write(proof.prepared.operation, proof.sealed)
    assert verdict.verdict is Verdict.OUT_OF_STEP
    assert verdict.reason is not None
    assert verdict.reason.key == proof.kept().reason
    assert not verdict.may_choose_another
    assert proof.phase() is Phase.OUT_OF_STEP


def test_without_a_proof_nothing_is_written(history: History) -> None:
    proof = Proof(history)
    verdict = proof.authority.write
    with pytest.raises(Refused):
        verdict(proof.prepared.operation, proof.sealed)
    assert history.world.directory.writes == []


# --- the sync conditions, each alone ---------------------------------------------


def template_with(**other: object) -> Callable[[History], None]:
    def change(history: History) -> None:
        template = replace(Template(name="staff", version=1), **other)
        history.world.registry.run(lambda tx: tx.save_template(template))
        _use_newest(history)

    return change


def _use_newest(history: History) -> None:
    def use(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, template_version=2))

    history.world.registry.run(use)


def account_with(**flags: bool) -> Callable[[History], None]:
    return lambda history: history.world.directory.change_account(
        history.holder.account_guid, **flags
    )


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (template_with(self_service=False), "condition.self_service_off"),
        (
            template_with(pin_policy=PinPolicy(update_ad_password=False)),
            "condition.policy_does_not_sync",
        ),
        (account_with(privileged=True), "condition.privileged"),
        (account_with(enabled=False), "condition.disabled"),
        (account_with(expired=True), "condition.account_expired"),
        (account_with(smart_card_required=True), "condition.smart_card_required"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_condition_that_fails_lets_only_the_card_change(
    history: History, arrange: Callable[[History], None], reason: str
) -> None:
    arrange(history)
    result = history.attempt()
    assert result is not None
    assert result.outcome == "card_only"
    assert history.card_pin() == NEW
    assert history.world.directory.writes == []
    credential = history.world.credential("alice")
    assert credential.sync is Sync.NOT_SYNCHRONISED
    assert credential.sync_reason == reason


def test_an_account_that_is_gone_lets_only_the_card_change(history: History) -> None:
    history.domain.remove_account(history.holder.account_guid)
    result = history.attempt()
    assert result is not None
    assert result.outcome == "card_only"


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE, Event.RETIRE])
def test_a_credential_that_is_not_active_changes_nothing(
    history: History, event: Event
) -> None:
    history.world.operate("alice", event)
    with pytest.raises(Exception, match=r"not_offered|not_on_record"):
        history.attempt()
    assert history.card_pin() == CHANGE.pin


def test_an_unreachable_directory_changes_nothing(history: History) -> None:
    history.world.directory.fail(DcDown())
    with pytest.raises(Refused):
        Proof(history)


def test_without_a_key_on_record_nothing_changes_unless_the_template_says_so() -> None:
    for keyless, allowed in ((Keyless.OFF, False), (Keyless.WITHOUT, True)):
        history = History(CHANGE)
        template_with(keyless=keyless)(history)
        _forget_key(history.world, history.holder.credential)
        if allowed:
            history.attempt()
            assert history.is_in_step()
            kinds = [e.kind for e in history.world.registry.audit_events()]
            assert "operation.authorised" in kinds
        else:
            with pytest.raises(Exception, match="not_offered"):
                history.attempt()


def test_keyless_with_release_needs_a_code() -> None:
    history = History(CHANGE)
    template_with(keyless=Keyless.WITH_RELEASE)(history)
    _forget_key(history.world, history.holder.credential)
    prepared = history.prepare(Kind.CHANGE, LIMITS)
    assert prepared.seal_to is not None
    with Secret(NEW) as new:
        sealed = seal.seal(
            new,
            public_key=prepared.seal_to.sealing_key,
            operation=prepared.operation,
        )
    with pytest.raises(Refused) as refused:
        history.world.authority.port.authorise(
            prepared.operation, b"", b"", sealed, going_on=False
        )
    assert refused.value.data == {"reason": "stop.code_first"}
    history.attempt()
    assert history.is_in_step()


def _forget_key(world: World, credential: str) -> None:
    world.registry.run(
        lambda tx: tx.save_credential(
            replace(tx.credential(credential), authentication_key=None, migrated=True)
        )
    )


def test_rules_nobody_can_satisfy_refuse_before_anything(history: History) -> None:
    history.domain.policy = PasswordPolicy(
        source="domain",
        minimum_length=12,
        complexity=True,
        history=0,
        minimum_age=0,
        maximum_age=None,
        lockout_threshold=0,
    )
    with pytest.raises(Refused) as refused:
        Proof(history)
    assert refused.value.reason.key == "stop.rules_unsatisfiable"


# --- escrow -------------------------------------------------------------------------


def test_a_puk_needs_a_redeemed_code_and_the_cards_proof() -> None:
    history = History(UNBLOCK)
    history.home_screen()
    port = history.world.authority.port
    prepared = history.prepare(Kind.UNBLOCK, LIMITS)
    with pytest.raises(Refused):
        port.release(prepared.operation, b"", b"", None)


def test_a_card_that_cannot_prove_itself_gets_no_puk() -> None:
    history = History(UNBLOCK)
    history.home_screen()
    history.holder.made.card.keys[0x9E] = ec.generate_private_key(ec.SECP256R1())
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "authority.proof_failed"
    credential = history.world.credential("alice")
    assert not puks.is_due(credential.escrow)
    assert history.holder.made.card.puk_tries_left == 3


def test_a_puk_is_worthless_after_its_use() -> None:
    history = History(UNBLOCK)
    before = history.world.credential("alice").escrow.current_sealed
    history.attempt()
    after = history.world.credential("alice").escrow
    assert after.current_sealed != before
    assert not puks.is_due(after)
    assert not after.pending_sealed


def test_a_puk_that_the_card_refuses_is_not_sent_again() -> None:
    history = History(UNBLOCK)
    with Secret(b"WRONGPUK") as wrong:
        sealed = escrowed_secrets.seal_field(
            history.world.parts, history.holder.credential, "escrow.current", wrong
        )

    def spoil(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        held = replace(credential.escrow, current_sealed=sealed)
        tx.save_credential(replace(credential, escrow=held))

    history.world.registry.run(spoil)
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "card.wrong_puk"
    assert history.holder.made.card.puk_tries_left == 2
    with pytest.raises(NotOffered):
        history.attempt()
    assert history.why_not(Kind.UNBLOCK) == "stop.puk_used_up"
    assert history.holder.made.card.puk_tries_left == 2


# --- history ------------------------------------------------------------------------


def test_an_earlier_pin_may_not_return_before_its_time() -> None:
    history = History(CHANGE)
    template_with(pin_policy=PinPolicy(history=2))(history)
    typed = history.visit_with
    assert typed(b"271828", NEW) == "done"
    assert typed(NEW, b"926535") == "done"
    assert typed(b"926535", NEW) == "result.fact.earlier_pin"
    assert history.card_pin() == b"926535", "refused before the card was touched"
    assert typed(b"926535", b"846257") == "done"
    assert typed(b"846257", NEW) == "done", "two others came in between"
    sealed = history.world.credential("alice").pin_history_sealed
    assert sealed.startswith("v1.A256GCM.")


def test_a_card_blocked_before_its_first_pin_that_cannot_prove_it_becomes_active() -> (
    None
):
    history = History(remade(UNBLOCK, state=State.ISSUED, sync=Sync.NEVER))
    _forget_presence(history)
    result = history.attempt()
    assert result is not None
    assert result.outcome == "done"
    assert history.world.credential("alice").state is State.ACTIVE
    events = list(history.world.registry.audit_events())
    lived = [e for e in events if e.kind.startswith("lifecycle.")]
    assert [(event.kind, event.actor) for event in lived[-2:]] == [
        ("lifecycle.pin_blocked", "card"),
        ("lifecycle.unblock", "holder"),
    ]


def test_an_edge_the_site_removed_closes_its_screen() -> None:
    history = History(CHANGE)
    history.world.parts = parts = remade(
        history.world.parts,
        lifecycle=Lifecycle(removed={(Event.UNBLOCK, State.ACTIVE)}),
    )
    case = LocalAuthority(parts, "kiosk-1").open(
        OpenRequest(card=history.holder.made.identity.key, seen=history.seen(LIMITS))
    )
    offered = {offer.kind for offer in case.offers if offer.allowed}
    assert offered == {Kind.CHANGE}


def _forget_presence(history: History) -> None:
    def forget(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, card_authentication_key=None))

    history.world.registry.run(forget)


# --- no station is believed ---------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "sync", "kind"),
    [
        (State.ISSUED, Sync.NEVER, Kind.CHANGE),
        (State.BLOCKED, Sync.IN_STEP, Kind.CHANGE),
        (State.SUSPENDED, Sync.IN_STEP, Kind.CHANGE),
        (State.ACTIVE, Sync.IN_STEP, Kind.ACTIVATE),
        (State.ACTIVE, Sync.IN_STEP, Kind.FINISH),
        (State.REVOKED, Sync.IN_STEP, Kind.UNBLOCK),
    ],
)
def test_what_is_not_offered_is_not_prepared(
    state: State, sync: Sync, kind: Kind
) -> None:
    """Whatever the station has shown: lifecycle and offer are judged again."""
    history = History(CHANGE)

    def stand(tx: Tx) -> None:
        found = tx.credential(history.holder.credential)
        origin = State.ACTIVE if state is State.SUSPENDED else None
        tx.save_credential(
            replace(found, state=state, sync=sync, suspended_from=origin)
        )

    history.world.registry.run(stand)
    with pytest.raises(Refused) as refused:
        history.prepare(kind, LIMITS)
    events = list(history.world.registry.audit_events())
    assert "operation.prepared" not in {event.kind for event in events}
    said = events[-1]
    assert (said.kind, said.result) == (
        "operation.not_opened",
        refused.value.reason.key,
    )
    assert (said.credential, said.data) == (history.holder.credential, {"kind": kind})
    assert said.at == history.world.clock.now()


def test_a_receipts_number_is_eight_digits_whatever_is_drawn(history: History) -> None:
    kept = [Proof(history).kept() for _ in range(30)]
    assert {len(bytes.fromhex(each.id)) for each in kept} == {16}, "never guessed"
    numbers = [each.event for each in kept]
    assert all(re.fullmatch(r"\d{4}-\d{4}", each) for each in numbers), numbers
    assert len(set(numbers)) == 30


def test_an_operation_is_not_to_be_had_from_another_station() -> None:
    history = History(CHANGE)
    proof = Proof(history)
    other = history.world.authority_of("kiosk-2")
    with pytest.raises(Refused) as refused:
        other.authorise(
            proof.prepared.operation,
            proof.challenge.nonce,
            proof.signature,
            proof.sealed,
            going_on=True,
        )
    assert refused.value.reason.key == "stop.operation_elsewhere"
    assert proof.phase() is Phase.PREPARED
    kinds = [event.kind for event in history.world.registry.audit_events()]
    assert kinds[-1] == "operation.not_ours"
    proof.authorise(going_on=True)
    assert proof.phase() is Phase.CARD_CHANGING


def test_how_an_operation_stands_can_be_asked() -> None:
    history = History(CHANGE)
    proof = Proof(history)
    before = proof.authority.outcome(proof.prepared.operation)
    assert (before.phase, before.is_ended) == (Phase.PREPARED, False)
    proof.authority.refuse(proof.prepared.operation, Message("card.removed"))
    after = proof.authority.outcome(proof.prepared.operation)
    assert (after.phase, after.is_ended) == (Phase.REFUSED, True)
    assert (after.reason, after.event) == ("card.removed", proof.prepared.event)


BLOCKED = remade(UNBLOCK, state=State.BLOCKED)


@pytest.mark.parametrize(
    ("story", "at_most"), [(CHANGE, 4), (BLOCKED, 9), (UNBLOCK, 10)]
)
def test_how_often_the_authority_is_asked(story: Story, at_most: int) -> None:
    """Once more where the card is found blocked, and proves it."""
    history = History(story)
    history.world.authority.calls.clear()
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert len(history.world.authority.calls) <= at_most, history.world.authority.calls
