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
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

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
"""The number of the first checkpoint that covers a link: its chain, its number."""


def unproven_writes(
    events: Iterable[AuditEvent], covers: Covers = lambda _lane, _seq: 0
) -> list[EvidenceFinding]:
    """Return every write without sound evidence, in order.

    Each chain's events come in its order; the chains may be mixed as one likes.
    `covers` silent: a key that another chain has on record counts whenever it came.
    """
    proofs = Proofs(covers)
    for event in events:
        proofs.take(event)
    return proofs.findings()


class _Record(NamedTuple):
    """One key that was put on record."""

    lane: str
    seq: int
    key: str


class _Write(NamedTuple):
    """A write whose signature is sound, if its key was on record before."""

    event: AuditEvent
    key: str


class Proofs:
    """Looks for the proof of each write while the events pass.

    What is kept is what is on record of keys, what has been authorised and not yet
    written, and eight bytes for each write.
    """

    def __init__(self, covers: Covers, begins: Collection[str] = ()) -> None:
        """`begins`: the chains of which a part was moved away (see `unjudged`)."""
        self._covers, self._begins = covers, begins
        self.writes = 0
        self.unjudged = 0
        """Writes whose proof may lie in what was moved away. After `findings`."""
        self._keys: dict[str, list[_Record]] = {}
        self._authorised: dict[str, AuditEvent] = {}
        self._written: set[int] = set()
        self._first: dict[str, float] = {}
        self._found: list[tuple[AuditEvent, str]] = []
        self._open: list[_Write] = []

    def take(self, event: AuditEvent) -> None:
        """Take the next event."""
        if self._begins and event.lane in self._begins:
            self._first.setdefault(event.lane, event.at)
        if event.kind == "credential.key_recorded":
            record = _Record(event.lane, event.seq, event.data.get("key_sha256", ""))
            self._keys.setdefault(event.credential, []).append(record)
        elif event.kind == "operation.authorised":
            self._authorised[event.operation] = event
        elif event.kind == "operation.writing":
            self._write(event)

    def _write(self, write: AuditEvent) -> None:
        self.writes += 1
        proof = self._authorised.pop(write.operation, None)
        key, problem = _judged(write, proof)
        once = hash(write.operation)
        if once in self._written:
            problem = "written_twice"
        self._written.add(once)
        if problem == "no_authorisation" and self._is_early(write):
            self.unjudged += 1
        elif problem:
            self._found.append((write, problem))
        elif not key or key not in self._on_record(write):
            self._open.append(_Write(write, key))

    def _is_early(self, write: AuditEvent) -> bool:
        """Say whether its authorisation can have been moved away."""
        first = self._first.get(write.lane)
        return first is not None and write.at - first <= WRITE_SECONDS + _STEPS

    def _on_record(self, write: AuditEvent) -> set[str]:
        return {
            each.key
            for each in self._keys.get(write.credential, ())
            if self._came_before(each, write)
        }

    def _came_before(self, record: _Record, write: AuditEvent) -> bool:
        if record.lane == write.lane:
            return record.seq < write.seq
        covers = self._covers
        return covers(record.lane, record.seq) <= covers(write.lane, write.seq)

    def findings(self) -> list[EvidenceFinding]:
        """Return the writes that nothing proves, when all events have passed."""
        found = list(self._found)
        for write, key in self._open:
            on_record = self._on_record(write)
            if not key and on_record:
                found.append((write, "has_a_key"))
            elif key not in on_record and self._begins:
                self.unjudged += 1
            elif key and key not in on_record:
                found.append((write, "key_not_on_record"))
        return [
            EvidenceFinding(
                write.station,
                write.seq,
                Message(f"evidence.{problem}", {"operation": write.operation}),
            )
            for write, problem in found
        ]


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
