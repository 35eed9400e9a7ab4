"""Putting a credential and its keys on record, in one commit with the evidence."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_public_key,
)
from cryptography.x509 import Certificate
from msgspec.structs import replace

from kiosk.authority.office.desk import Desk, drafted
from kiosk.authority.ports import Refused
from kiosk.authority.proof import statement
from kiosk.authority.proof.presence import NONCE_BYTES, NONCE_SECONDS
from kiosk.cards.ports import KeyAlgorithm, KeySlot, NotSupported
from kiosk.certificates import card_certificates
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


def public_key(spki: bytes, slot: KeySlot, certificate: bytes) -> PublicKey:
    """Return a record of a key (DER SubjectPublicKeyInfo). NotSupported."""
    return PublicKey(
        slot=slot, algorithm=algorithm(spki), spki=spki, certificate=certificate
    )


def key_of(certificate: Certificate, slot: KeySlot) -> PublicKey:
    """Return a record of a certificate's key. NotSupported, UnreadableCertificate."""
    spki = card_certificates.key_of(certificate)
    return public_key(spki, slot, certificate.public_bytes(Encoding.DER))


def algorithm(spki: bytes) -> KeyAlgorithm:
    """Return which algorithm a key signs with. NotSupported."""
    match load_der_public_key(spki):
        case rsa.RSAPublicKey(key_size=(2048 | 3072 | 4096) as bits):
            return KeyAlgorithm(f"RSA-{bits}")
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return KeyAlgorithm.P256
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return KeyAlgorithm.P384
        case ed25519.Ed25519PublicKey():
            return KeyAlgorithm.ED25519
        case other:
            raise NotSupported(what=_name_of(other))


def _name_of(key: object) -> str:
    """Say which kind of key that is, for those who have to get another one."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA-{key.key_size}"
        case ec.EllipticCurvePublicKey():
            return key.curve.name
    return type(key).__name__


def challenge(desk: Desk, credential: str) -> tuple[bytes, bytes]:
    """Issue a nonce for a proof; return it and the statement the card signs."""
    nonce = desk.parts.entropy.bytes(NONCE_BYTES)
    record = Nonce(
        value=nonce,
        purpose=NoncePurpose.PRESENCE,
        bound_to=credential,
        station=desk.station,
        expires_at=desk.parts.clock.now() + NONCE_SECONDS,
    )
    desk.parts.registry.run(lambda tx: tx.issue_nonce(record))
    return nonce, statement.presence(nonce, credential, desk.station)


def is_fresh(tx: Tx, desk: Desk, nonce: bytes, credential: str) -> bool:
    """Consume the nonce of a proof; say whether it was there and in time."""
    return tx.consume_nonce(
        nonce,
        purpose=NoncePurpose.PRESENCE,
        bound_to=credential,
        station=desk.station,
        now=desk.parts.clock.now(),
    )


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
