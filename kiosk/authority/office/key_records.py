"""Keys go on record: each with a fresh proof, in one commit with the evidence."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum

from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.office.card_values import KeyChallenge, ProvenKey
from kiosk.authority.office.desk import Desk, drafted
from kiosk.authority.office.operators import Action, may, require
from kiosk.authority.proof import signature, statement
from kiosk.authority.proof.presence import NONCE_BYTES, NONCE_SECONDS
from kiosk.core.errors import Message
from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Event, Standing
from storage.records import Credential, Nonce, NoncePurpose, PublicKey
from storage.registry import Tx


class PossessionProof(StrEnum):
    """How it is known that the card holds a key."""

    SIGNATURE = "signature"
    """The card signed a fresh nonce with it."""
    GENERATED = "generated"
    """The card made it in our own session, and signed a fresh nonce with it."""
    SECOND_OFFICER = "second officer"


def challenge(desk: Desk, credential: str) -> KeyChallenge:
    """Issue a nonce for a proof, and return what the card signs. NotInRole."""
    if not may(desk.operator, Action.IMPORT):
        require(desk.operator, Action.ISSUE)
    nonce = desk.parts.entropy.bytes(NONCE_BYTES)
    record = Nonce(
        value=nonce,
        purpose=NoncePurpose.PRESENCE,
        bound_to=credential,
        station=desk.station,
        expires_at=desk.parts.clock.now() + NONCE_SECONDS,
    )
    desk.parts.registry.run(lambda tx: tx.issue_nonce(record))
    message = statement.presence(nonce, credential, desk.station)
    return KeyChallenge(nonce=nonce, message=message)


def has_signed(desk: Desk, credential: str, proven: ProvenKey) -> bool:
    """Say whether the key signed the challenge it names."""
    message = statement.presence(proven.nonce, credential, desk.station)
    return signature.is_valid(proven.key, message, proven.signature)


def consume(tx: Tx, desk: Desk, credential: str, proven: ProvenKey) -> None:
    """Consume the nonce of a proof. ProofFailed: it is not there, or too old."""
    is_fresh = tx.consume_nonce(
        proven.nonce,
        purpose=NoncePurpose.PRESENCE,
        bound_to=credential,
        station=desk.station,
        now=desk.parts.clock.now(),
    )
    if not is_fresh:
        raise ProofFailed


def issue(
    tx: Tx, desk: Desk, credential: Credential, *, standing: Standing | None, by: str
) -> Credential:
    """Let the credential be issued: save it and audit the event. Refused.

    `standing` is None for a card that is new here; `by` says how (issue, import).
    """
    after = desk.parts.lifecycle.apply(standing, Event.ISSUE, Facts())
    if isinstance(after, Refusal):
        raise Refused(Message(after.code))
    saved = tx.save_credential(
        replace(credential, state=after.state, suspended_from=after.origin)
    )
    data = {
        "from": standing.state if standing else "",
        "to": after.state,
        "by": by,
        "account_guid": credential.account_guid,
        "template": f"{credential.template} {credential.template_version}",
    }
    drafted(desk, f"lifecycle.{Event.ISSUE}", credential.id, "", data)(tx)
    return saved


def key_recorded(
    tx: Tx,
    desk: Desk,
    credential: str,
    key: PublicKey,
    proof: PossessionProof,
    **data: str,
) -> None:
    """Audit that a key is on record from now, and how it was proven.

    `kiosk audit verify` accepts signatures only by keys recorded so.
    """
    evidence = {**key_evidence(key), "proof": proof, **data}
    drafted(desk, "credential.key_recorded", credential, "", evidence)(tx)


def key_evidence(key: PublicKey) -> dict[str, str]:
    """Return what the audit says of a key: slot, algorithm, fingerprint, the key."""
    return {
        "slot": key.slot,
        "algorithm": key.algorithm,
        "key_sha256": hashlib.sha256(key.spki).hexdigest(),
        "key": base64.b64encode(key.spki).decode(),
    }
