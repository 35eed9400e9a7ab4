"""Proof without a PIN: the card authentication key signs a nonce.

A GUID and a certificate are public and prove nothing. Before "blocked" is
recorded because a card says so, and before an escrowed secret leaves, the card
proves that it is the card on record.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.operation import transitions
from kiosk.authority.proof import signature, statement
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import PresenceChallenge
from statemachine.guards import Facts
from statemachine.lifecycle import Event, State
from storage.records import AuditDraft, Credential, Nonce, NoncePurpose, Sync
from storage.registry import Tx

NONCE_BYTES = 32
NONCE_SECONDS = 120.0


def challenge(
    tx: Tx, parts: RequiredPorts, credential: str, station: str
) -> PresenceChallenge | None:
    """Issue a nonce for a proof of presence; None if no key is on record for it."""
    key = tx.credential(credential).card_authentication_key
    if key is None:
        return None
    nonce = parts.entropy.bytes(NONCE_BYTES)
    tx.issue_nonce(
        Nonce(
            value=nonce,
            purpose=NoncePurpose.PRESENCE,
            bound_to=credential,
            station=station,
            expires_at=parts.clock.now() + NONCE_SECONDS,
        )
    )
    return PresenceChallenge(
        nonce=nonce,
        message=statement.presence(nonce, credential, station),
        algorithm=key.algorithm,
    )


def is_proven(
    tx: Tx,
    parts: RequiredPorts,
    credential: Credential,
    station: str,
    nonce: bytes,
    signed: bytes,
) -> bool:
    """Consume the nonce and say whether the signature is the card's on record."""
    fresh = tx.consume_nonce(
        nonce,
        purpose=NoncePurpose.PRESENCE,
        bound_to=credential.id,
        station=station,
        now=parts.clock.now(),
    )
    key = credential.card_authentication_key
    message = statement.presence(nonce, credential.id, station)
    return fresh and key is not None and signature.is_valid(key, message, signed)


def prove(
    parts: RequiredPorts,
    once: Once,
    id: str,
    station: str,
    nonce: bytes,
    signed: bytes,
    tries_left: int | None,
) -> None:
    """Take the proof and record what the counter says. ProofFailed."""

    def commit(tx: Tx) -> ProofFailed | None:
        credential = tx.credential(id)
        proven = is_proven(tx, parts, credential, station, nonce, signed)
        if proven:
            transitions.end_elsewhere(tx, parts, id, station)
            credential = tx.credential(id)
            _observe(tx, parts, credential, station, tries_left)
        else:
            tx.audit(
                AuditDraft(
                    at=parts.clock.now(),
                    station=station,
                    kind="credential.presence_failed",
                    actor="card",
                    credential=id,
                )
            )
        return None if proven else ProofFailed()

    once.commit(commit)


def _observe(
    tx: Tx,
    parts: RequiredPorts,
    credential: Credential,
    station: str,
    tries_left: int | None,
) -> None:
    if tries_left == 0 and credential.state in (State.ISSUED, State.ACTIVE):
        event = Event.PIN_BLOCKED
    elif tries_left and credential.state is State.BLOCKED:
        event = Event.FOUND_UNBLOCKED
    else:
        return
    after = transitions.happen(
        tx, parts, credential, event, facts=Facts(), actor="card", station=station
    )
    if event is Event.FOUND_UNBLOCKED:
        tx.save_credential(
            replace(
                after, sync=Sync.OUT_OF_STEP, sync_reason="reason.unblocked_elsewhere"
            )
        )
