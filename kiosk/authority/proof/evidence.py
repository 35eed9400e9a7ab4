"""Evidence a third party can check: every write came after its own signature.

Pure, over audit events in chain order (`storage.completeness` has judged the chains
themselves). For each `operation.writing` there is exactly one earlier
`operation.authorised` of the same operation, not older than the authorisation
lasts, whose signature verifies over a statement that names this operation,
credential, station and the sealed value that was written, by a key that was put on
record for that credential before; or it says which keyless exception applied.

What came before what is said by the chain, between chains by the checkpoints; never by
the clock, which may be corrected between any two events.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kiosk.authority.operation.authorised_time import CLOCK_STEP, WRITE_SECONDS
from kiosk.authority.proof import signature, statement
from kiosk.core.errors import Message
from storage.records import AuditEvent, PublicKey


@dataclass(frozen=True, slots=True)
class EvidenceFinding:
    """One write that its evidence does not carry."""

    station: str
    seq: int
    reason: Message


_STEPS = 2 * CLOCK_STEP
"""Seconds by which two events' times may differ from what was judged then."""

Covers = Callable[[str, int], int]
"""The number of the first checkpoint that covers a link: its station, its number."""


def unproven_writes(
    events: Iterable[AuditEvent], covers: Covers = lambda _station, _seq: 0
) -> list[EvidenceFinding]:
    """Return every write without sound evidence, in order.

    Each chain's events come in its order; the chains may be mixed as one likes.
    `covers` silent: a key that another chain has on record counts whenever it came.
    """
    keys: dict[str, list[AuditEvent]] = {}
    authorised: dict[str, AuditEvent] = {}
    written: set[str] = set()
    found: list[tuple[AuditEvent, str]] = []
    judged: list[tuple[AuditEvent, str]] = []
    for event in events:
        if event.kind == "credential.key_recorded":
            keys.setdefault(event.credential, []).append(event)
        elif event.kind == "operation.authorised":
            authorised[event.operation] = event
        elif event.kind == "operation.writing":
            key, problem = _judged(event, authorised.get(event.operation))
            if event.operation in written:
                problem = "written_twice"
            written.add(event.operation)
            if problem:
                found.append((event, problem))
            else:
                judged.append((event, key))
    for write, key in judged:
        on_record = {
            each.data["key_sha256"]
            for each in keys.get(write.credential, [])
            if _came_before(each, write, covers)
        }
        if key and key not in on_record:
            found.append((write, "key_not_on_record"))
        if not key and on_record:
            found.append((write, "has_a_key"))
    return [
        EvidenceFinding(
            write.station,
            write.seq,
            Message(f"evidence.{problem}", {"operation": write.operation}),
        )
        for write, problem in found
    ]


def _came_before(record: AuditEvent, write: AuditEvent, covers: Covers) -> bool:
    if record.station == write.station:
        return record.seq < write.seq
    return covers(record.station, record.seq) <= covers(write.station, write.seq)


def _judged(write: AuditEvent, proof: AuditEvent | None) -> tuple[str, str]:
    """Return the key (SHA-256) that one write rests on, and what is wrong with it.

    No key: it rests on the exception for credentials that have none on record.
    """
    if proof is None:
        return "", "no_authorisation"
    if not -_STEPS <= write.at - proof.at <= WRITE_SECONDS + _STEPS:
        return "", "authorisation_late"
    if proof.data.get("sealed_sha256") != write.data.get("sealed_sha256"):
        return "", "other_value"
    if "exception" in proof.data:
        return "", ""
    try:
        message = base64.b64decode(proof.data["statement"], validate=True)
        signed = base64.b64decode(proof.data["signature"], validate=True)
        spki = base64.b64decode(proof.data["key"], validate=True)
        named = statement.read(message)
    except (KeyError, binascii.Error, statement.MalformedStatement):
        return "", "no_statement"
    if not signature.is_valid(
        PublicKey(slot="", algorithm="", spki=spki), message, signed
    ):
        return "", "signature_wrong"
    said = (named.operation, named.credential, named.station)
    if said != (write.operation, write.credential, write.station):
        return "", "other_operation"
    if named.sealed_digest.hex() != write.data.get("sealed_sha256"):
        return "", "other_value"
    return hashlib.sha256(spki).hexdigest(), ""
