"""Evidence a third party can check: every write came after its own signature.

Pure, over audit events in chain order (`storage.audit` has verified the chain
itself). For each `operation.writing` there is exactly one earlier
`operation.authorised` of the same operation, not older than the authorisation
lasts, whose signature verifies over a statement that names this operation,
credential, station and the sealed value that was written, by a key that was put on
record for that credential; or it says which keyless exception applied.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.authority.operation.authorised_time import WRITE_SECONDS
from kiosk.authority.proof import signature, statement
from kiosk.core.errors import Message
from storage.records import AuditEvent, PublicKey


@dataclass(frozen=True, slots=True)
class EvidenceFinding:
    """One write that its evidence does not carry."""

    station: str
    seq: int
    reason: Message


def unproven_writes(events: Iterable[AuditEvent]) -> list[EvidenceFinding]:
    """Return every write without sound evidence, in order."""
    keys: dict[str, set[str]] = {}
    authorised: dict[str, AuditEvent] = {}
    written: set[str] = set()
    findings: list[EvidenceFinding] = []
    for event in events:
        if event.kind == "credential.key_recorded":
            keys.setdefault(event.credential, set()).add(event.data["key_sha256"])
        elif event.kind == "operation.authorised":
            authorised[event.operation] = event
        elif event.kind == "operation.writing":
            known = keys.get(event.credential, set())
            problem = _problem(event, authorised.get(event.operation), known)
            if event.operation in written:
                problem = "written_twice"
            written.add(event.operation)
            if problem:
                reason = Message(f"evidence.{problem}", {"operation": event.operation})
                findings.append(EvidenceFinding(event.station, event.seq, reason))
    return findings


def _problem(write: AuditEvent, proof: AuditEvent | None, keys: set[str]) -> str:
    """Name what is wrong with one write; empty if nothing is."""
    if proof is None:
        return "no_authorisation"
    if not 0 <= write.at - proof.at <= WRITE_SECONDS:
        return "authorisation_late"
    if proof.data.get("sealed_sha256") != write.data.get("sealed_sha256"):
        return "other_value"
    if "exception" in proof.data:
        return ""
    try:
        message = base64.b64decode(proof.data["statement"], validate=True)
        signed = base64.b64decode(proof.data["signature"], validate=True)
        spki = base64.b64decode(proof.data["key"], validate=True)
        named = statement.read(message)
    except (KeyError, binascii.Error, statement.MalformedStatement):
        return "no_statement"
    if hashlib.sha256(spki).hexdigest() not in keys:
        return "key_not_on_record"
    if not signature.is_valid(
        PublicKey(slot="", algorithm="", spki=spki), message, signed
    ):
        return "signature_wrong"
    said = (named.operation, named.credential, named.station)
    if said != (write.operation, write.credential, write.station):
        return "other_operation"
    if named.sealed_digest.hex() != write.data.get("sealed_sha256"):
        return "other_value"
    return ""
