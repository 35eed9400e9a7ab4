"""Evidence rests on the key on record: another one proves nothing, however well."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lab.histories import STORIES, History
from msgspec.structs import replace

from kiosk.authority.proof.evidence import unproven_writes
from storage.records import AuditEvent


@pytest.fixture(name="events")
def _events() -> list[AuditEvent]:
    """An honest change."""
    history = History(STORIES[0])
    history.attempt()
    return list(history.world.registry.audit_events())


def signed_by(key: ec.EllipticCurvePrivateKey, proof: AuditEvent) -> AuditEvent:
    """Put another key, and its good signature, in place of the card's."""
    message = base64.b64decode(proof.data["statement"])
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    data = {
        **proof.data,
        "key": base64.b64encode(spki).decode(),
        "signature": base64.b64encode(
            key.sign(message, ec.ECDSA(hashes.SHA256()))
        ).decode(),
    }
    return replace(proof, data=data)


def test_a_write_under_the_key_on_record_is_proven(events: list[AuditEvent]) -> None:
    assert unproven_writes(events) == []


def test_a_write_under_any_other_key_is_not(events: list[AuditEvent]) -> None:
    """The signature verifies, under the key beside it; the card has another."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    forged = [
        signed_by(stranger, event) if event.kind == "operation.authorised" else event
        for event in events
    ]
    (found,) = unproven_writes(forged)
    assert found.reason.key == "evidence.key_not_on_record"


def test_nor_under_the_key_of_somebody_elses_card(events: list[AuditEvent]) -> None:
    """It is on record, for another credential."""
    strangers = [
        replace(event, credential="credential-bob")
        if event.kind == "credential.key_recorded"
        else event
        for event in events
    ]
    (found,) = unproven_writes(strangers)
    assert found.reason.key == "evidence.key_not_on_record"


def test_nor_under_the_key_of_the_card_that_wants_no_pin(
    events: list[AuditEvent],
) -> None:
    """It is on record for just this card, and whoever holds the card signs with it."""
    presence = ec.generate_private_key(ec.SECP256R1())
    forged: list[AuditEvent] = []
    for event in events:
        if event.kind != "operation.authorised":
            forged.append(event)
            continue
        proof = signed_by(presence, event)
        spki = base64.b64decode(proof.data["key"])
        recorded = {"key_sha256": hashlib.sha256(spki).hexdigest(), "slot": "9E"}
        forged += [
            replace(event, kind="credential.key_recorded", seq=0, data=recorded),
            proof,
        ]
    (found,) = unproven_writes(forged)
    assert found.reason.key == "evidence.key_not_on_record"


@pytest.mark.parametrize("field", ["key", "statement", "signature"])
@pytest.mark.parametrize(
    "spoilt",
    [None, "", "no base64!", "=", "{}\n", " {}", "{}=", "{}AAAA"],
    ids=lambda how: repr(how),
)
def test_what_is_missing_or_written_otherwise_is_a_finding(
    events: list[AuditEvent], field: str, spoilt: str | None
) -> None:
    """Never an error, and never read more kindly than other tools read it."""
    (at,) = [n for n, each in enumerate(events) if each.kind == "operation.authorised"]
    data = dict(events[at].data)
    was = data.pop(field)
    if spoilt is not None:
        data[field] = spoilt.format(was)
    forged = [*events[:at], replace(events[at], data=data), *events[at + 1 :]]
    (found,) = unproven_writes(forged)
    assert found.reason.key.startswith("evidence.")
