"""The first durable mark of an operation, and the nonce that goes with it."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from kiosk.authority.errors import AuthorityError, NotAsAnnounced, Refused
from kiosk.authority.escrow import escrowed_secrets, puks
from kiosk.authority.escrow.unblock_methods import method_of, wants_code
from kiosk.authority.operation import announcement, changed_elsewhere, transitions
from kiosk.authority.operation.offering import refusal_of
from kiosk.authority.operation.sync_decision import SyncDecision, judge
from kiosk.authority.proof import presence
from kiosk.authority.proof.presence import NONCE_BYTES, NONCE_SECONDS
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.values import Announced, Challenge, Prepared, PrepareRequest
from kiosk.core.errors import Message
from statemachine.candidates import TRIES
from statemachine.operation import Kind, Phase, Route, route_of
from storage.records import AuditDraft, Credential, Nonce, NoncePurpose, Operation
from storage.registry import Tx


def prepare(
    parts: RequiredPorts, once: Once, station: str, request: PrepareRequest
) -> Prepared:
    """Ask everything that can refuse, then commit `prepared`.

    Refused, NotAsAnnounced.
    """
    kind, announced, limits = request.kind, request.announced, request.seen.limits
    credential, template = parts.registry.read(
        lambda view: (
            (found := view.credential(request.credential)),
            view.template(found.template, found.template_version),
        )
    )
    parts.rates.judge(credential, station, parts.clock.now())
    judgement = judge(parts, credential, template, limits)
    if (stop := judgement.stop_of(kind)) is not None:
        refuse_before(parts, once, credential, kind, station, stop)
    looked_at = credential
    credential = changed_elsewhere.mark(parts, looked_at, judgement.view, station)
    if announcement.broken(
        parts, announced, credential, judgement, station, looked_at=looked_at
    ):
        reason = Message(NotAsAnnounced.code)
        refuse_before(parts, once, credential, kind, station, reason)
    refusal = refusal_of(parts, credential, template, request.seen, judgement, kind)
    if refusal is not None:
        refuse_before(parts, once, credential, kind, station, refusal)
    method = method_of(credential, template, limits, parts.profile)
    key = parts.sealing.current(parts.registry)
    operation = replace(
        _new(parts, credential, kind, station, judgement),
        **_seen(announced, judgement),
        method=method,
        sealing_key=key.id,
        code_wanted=wants_code(method, parts.profile, credential.escrow, limits),
    )
    challenge = _challenge(parts, operation, credential, key)
    signs_now = operation.route is not Route.RESET and _signs(operation, credential)

    def commit(tx: Tx) -> Prepared | Refused:
        too_often = parts.rates.add(tx, credential, station, operation.started_at)
        if too_often is not None:
            return too_often
        if not transitions.supersede(tx, parts, credential.id, station):
            busy = Message("stop.another_is_writing")
            tx.audit(_not_opened(parts, credential, kind, station, busy))
            return Refused(busy)
        tx.save_operation(operation)
        if signs_now:
            tx.issue_nonce(_nonce(parts, challenge))
        tx.audit(
            AuditDraft(
                at=operation.started_at,
                station=station,
                kind="operation.prepared",
                actor="holder",
                credential=credential.id,
                operation=operation.id,
                data={"event": operation.event, "kind": kind},
            )
        )
        may_be_replaced = puks.may_be_replaced(template, credential)
        proves = escrowed_secrets.wants_proof(operation, credential, template)
        return Prepared(
            operation=operation.id,
            event=operation.event,
            password_follows=operation.password_follows,
            why_not=judgement.why_not,
            rules=judgement.rules,
            challenge=challenge if signs_now else None,
            seal_to=challenge if operation.password_follows else None,
            sealing_key=key.public,
            write_seconds=parts.write_deadline,
            presence=presence.challenge(tx, parts, credential.id, station)
            if proves
            else None,
            puk_due=puks.is_due(credential.escrow) and may_be_replaced,
            puk_replaceable=may_be_replaced,
            puk_is_factory=puks.is_factory(credential.escrow),
            puk_uncertain=puks.of(credential.escrow).left < TRIES,
        )

    return once.commit(commit)


def refuse_before(
    parts: RequiredPorts,
    once: Once,
    credential: Credential,
    kind: Kind,
    station: str,
    reason: Message,
) -> NoReturn:
    """Audit a refusal that came before any operation, and raise it. Refused."""
    is_news = reason.key == NotAsAnnounced.code
    error = NotAsAnnounced() if is_news else Refused(reason)

    def commit(tx: Tx) -> AuthorityError:
        parts.rates.add(tx, credential, station, parts.clock.now())
        tx.audit(_not_opened(parts, credential, kind, station, reason))
        return error

    once.commit(commit)
    raise error


def _not_opened(
    parts: RequiredPorts,
    credential: Credential,
    kind: Kind,
    station: str,
    reason: Message,
) -> AuditDraft:
    return AuditDraft(
        at=parts.clock.now(),
        station=station,
        kind="operation.not_opened",
        actor="holder",
        credential=credential.id,
        result=reason.key,
        data={"kind": kind},
    )


def _seen(announced: Announced, judgement: SyncDecision) -> dict[str, Any]:
    """Return the newest of what was looked at: at the write it must still be there."""
    told = announced.seen.seen() if announced.seen is not None else None
    seen = in_step.newest(told, judgement.view.newest)
    if seen is None:
        return {}
    return {
        "dc": seen.dc,
        "pwd_last_set_before": seen.pwd_last_set,
        "mark_before": in_step.recorded(seen),
    }


def _new(
    parts: RequiredPorts,
    credential: Credential,
    kind: Kind,
    station: str,
    judgement: SyncDecision,
) -> Operation:
    return Operation(
        id=parts.entropy.bytes(16).hex(),
        event=f"{parts.entropy.below(10**4):04d}-{parts.entropy.below(10**4):04d}",
        kind=kind,
        credential=credential.id,
        account_guid=credential.account_guid,
        station=station,
        phase=Phase.PREPARED,
        password_follows=judgement.password_follows,
        route=route_of(
            kind,
            password_follows=judgement.password_follows,
            interrupted=credential.activation_interrupted,
        ),
        reason=judgement.why_not.key if judgement.why_not else "",
        rules=msgspec.json.encode(judgement.rules),
        dc=judgement.view.dc,
        honours_history=judgement.view.honours_history and kind is not Kind.FINISH,
        started_at=parts.clock.now(),
    )


def _signs(operation: Operation, credential: Credential) -> bool:
    return operation.password_follows and credential.authentication_key is not None


def _challenge(
    parts: RequiredPorts,
    operation: Operation,
    credential: Credential,
    sealing: SealingKey,
) -> Challenge:
    key = credential.authentication_key
    return Challenge(
        nonce=parts.entropy.bytes(NONCE_BYTES),
        operation=operation.id,
        kind=operation.kind,
        credential=credential.id,
        account_guid=credential.account_guid,
        station=operation.station,
        sealing_key=sealing.public,
        key_slot=key.slot if key else "",
        key_algorithm=key.algorithm if key else "",
    )


def _nonce(parts: RequiredPorts, challenge: Challenge) -> Nonce:
    return Nonce(
        value=challenge.nonce,
        purpose=NoncePurpose.OPERATION,
        bound_to=challenge.operation,
        station=challenge.station,
        expires_at=parts.clock.now() + NONCE_SECONDS,
    )


def renew(tx: Tx, parts: RequiredPorts, operation: Operation) -> Challenge:
    """Issue a fresh nonce for a live operation (its signature comes after the card).

    ProofFailed: it is hours old, and so is the key that it names.
    """
    credential = tx.credential(operation.credential)
    sealing = parts.sealing.named(tx, operation.sealing_key)
    challenge = _challenge(parts, operation, credential, sealing)
    tx.issue_nonce(_nonce(parts, challenge))
    return challenge
