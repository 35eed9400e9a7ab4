"""The proof: the card's signature verified and its nonce consumed, in one commit.

From here the operation may write once within `WRITE_SECONDS`. Evidence (statement,
signature, key) goes into the audit chain, so that a third party can check it.
"""

from __future__ import annotations

import base64
import hashlib

import msgspec

from kiosk.authority.errors import ProofFailed, Refused, RulesBroken
from kiosk.authority.escrow import approvals
from kiosk.authority.operation import card_steps, transitions
from kiosk.authority.operation.authorised_time import WRITE_SECONDS
from kiosk.authority.proof import seal, signature, statement
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import pin_history
from kiosk.authority.rules.held import held
from kiosk.authority.rules.sync_conditions import proof_of
from kiosk.authority.values import Challenge
from kiosk.core.errors import Message
from kiosk.pin.rules import PinRules, Rule, check
from statemachine.operation import Kind, Phase
from storage.known_types import known
from storage.records import (
    ApprovalKind,
    Authorisation,
    Credential,
    NoncePurpose,
    Operation,
    Template,
)
from storage.registry import Tx
from storage.view import View


def authorise(
    parts: RequiredPorts,
    once: Once,
    operation: Operation,
    nonce: bytes,
    signed: bytes,
    sealed: bytes,
    *,
    going_on: bool,
) -> None:
    """Take the proof for one write of `sealed`. ProofFailed, Refused, RulesBroken.

    `operation`: as it was when the call came; what may have happened to it since is
    seen with the commit.

    `going_on`: the card is changed at once, so that is committed with it.

    A failed proof ends the operation: refused where nothing was changed, out of
    step where the card already was (unblock). The nonce is used up either way.
    """
    credential, template, sealing = parts.registry.read(
        lambda it: _read(it, parts, operation)
    )
    if credential.authentication_key is None:
        evidence = {"exception": str(template.keyless)}
        valid = proof_of(credential, template) is not None
        lacks_code = parts.registry.read(lambda it: _lacks_code(it, parts, operation))
    else:
        message = statement.authorisation(
            _challenge(operation, credential, nonce, sealing), seal.digest(sealed)
        )
        evidence = _evidence(credential, message, signed)
        valid = signature.is_valid(credential.authentication_key, message, signed)
        lacks_code = False
    # Nobody learns what a PIN was who has not proven the card: a station could ask on.
    if valid and not lacks_code and operation.ended_at is None:
        _check_rules(parts, operation, credential, template, sealed, sealing)
    since, key = parts.clock.monotonic(), credential.authentication_key

    def commit(tx: Tx) -> ProofFailed | Refused | None:
        digest = seal.digest(sealed)
        current = tx.operation(operation.id)  # first: its credential comes with it
        # Judged by a key, or the lack of one, that is not on record any more: no proof.
        is_same = tx.credential(credential.id).authentication_key == key
        good = valid and is_same
        if good and (lacks_code or _lacks_code(tx, parts, current)):
            return _without_code(tx, parts, current)
        if not _commit(tx, parts, operation.id, nonce, digest, evidence, valid=good):
            return ProofFailed()
        return card_steps.begin_changing(tx, parts, operation.id) if going_on else None

    once.commit(commit)
    parts.fences.allow(operation.id, since + WRITE_SECONDS)


def _read(
    view: View, parts: RequiredPorts, operation: Operation
) -> tuple[Credential, Template, SealingKey]:
    """ProofFailed: the key is gone that this was sealed to."""
    credential = view.credential(operation.credential)
    template = view.template(credential.template, credential.template_version)
    return credential, template, parts.sealing.named(view, operation.sealing_key)


def _check_rules(
    parts: RequiredPorts,
    operation: Operation,
    credential: Credential,
    template: Template,
    sealed: bytes,
    key: SealingKey,
) -> None:
    """The authority trusts no face: the sealed value meets the rules, or nothing.

    A finish brings the password to the PIN the card has: no history is held
    against it.
    """
    rules = msgspec.json.decode(operation.rules, type=known(PinRules))
    with key.open(sealed, operation=operation.id) as value:
        broken = next((v.rule for v in check(rules, value) if not v.holds), None)
        is_new = operation.kind is not Kind.FINISH
        if is_new and pin_history.is_known(parts, credential, template, value):
            broken = Rule.HISTORY
    if broken is not None:
        raise RulesBroken(rule=broken)


def _lacks_code(view: View, parts: RequiredPorts, operation: Operation) -> bool:
    """Say whether the code is missing that stands for a key.

    What became of it since the card was changed by it changes nothing any more.
    """
    credential = view.credential(operation.credential)
    template = view.template(credential.template, credential.template_version)
    proof = proof_of(credential, template)
    if proof is None or not proof.release:
        return False
    is_changed = transitions.card_may_have_changed(operation)
    now = None if is_changed else parts.clock.now()
    return not approvals.has(view, operation, ApprovalKind.RELEASE, now)


def _without_code(tx: Tx, parts: RequiredPorts, operation: Operation) -> Refused:
    """End an operation for that."""
    reason = Message("stop.code_first")
    if operation.ended_at is None:
        if transitions.card_may_have_changed(operation):
            transitions.end_out_of_step(tx, parts, operation, reason)
        else:
            transitions.move(tx, parts, operation, Phase.REFUSED, reason=reason.key)
    return Refused(reason)


def _challenge(
    operation: Operation, credential: Credential, nonce: bytes, key: SealingKey
) -> Challenge:
    """The challenge as the record has it, not as a client would like it."""
    return Challenge(
        nonce=nonce,
        operation=operation.id,
        kind=operation.kind,
        credential=credential.id,
        account_guid=operation.account_guid,
        station=operation.station,
        sealing_key=key.public,
        key_slot="",
        key_algorithm="",
    )


def _evidence(credential: Credential, message: bytes, signed: bytes) -> dict[str, str]:
    key = credential.authentication_key
    spki = key.spki if key else b""
    return {
        "statement": base64.b64encode(message).decode(),
        "signature": base64.b64encode(signed).decode(),
        "key": base64.b64encode(spki).decode(),
        "key_sha256": hashlib.sha256(spki).hexdigest(),
    }


def _commit(
    tx: Tx,
    parts: RequiredPorts,
    id: str,
    nonce: bytes,
    sealed_digest: bytes,
    evidence: dict[str, str],
    *,
    valid: bool,
) -> bool:
    operation = tx.operation(id)
    credential = tx.credential(operation.credential)
    keyless = credential.authentication_key is None
    now = parts.clock.now()
    fresh = keyless or tx.consume_nonce(
        nonce,
        purpose=NoncePurpose.OPERATION,
        bound_to=id,
        station=operation.station,
        now=now,
    )
    if not operation.password_follows:
        raise Refused(Message("stop.no_write_wanted"))
    if not (valid and fresh):
        _end_unproven(tx, parts, operation, stale=valid)
        return False
    if (refusal := held(credential)) is not None:
        raise Refused(refusal)
    transitions.move(
        tx,
        parts,
        operation,
        Phase.AUTHORISED,
        evidence={**evidence, "sealed_sha256": sealed_digest.hex()},
        authorisation=Authorisation.KEYLESS if keyless else Authorisation.SIGNATURE,
        sealed_digest=sealed_digest,
        authorised_until=now + WRITE_SECONDS,
        card_proven=operation.card_proven or not keyless,
    )
    return True


def _end_unproven(
    tx: Tx, parts: RequiredPorts, operation: Operation, *, stale: bool
) -> None:
    reason = Message("reason.nonce_stale" if stale else "reason.signature_wrong")
    if operation.ended_at is not None:
        return
    if transitions.card_may_have_changed(operation):
        transitions.end_out_of_step(tx, parts, operation, reason)
    else:
        transitions.move(tx, parts, operation, Phase.REFUSED, reason=reason.key)
