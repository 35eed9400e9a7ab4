"""Evidence a third party can check: every write came after its own signature.

Pure, over audit events in chain order (`storage.completeness` has judged the chains
themselves). For each `operation.writing` there is exactly one earlier
`operation.authorised` of the same operation in the same chain, not older than the
authorisation lasts, whose signature verifies over a statement that names this operation
and its kind, credential, station, the account and the sealed value that were written,
by a key that was put on record for that credential before; or it says which keyless
exception applied.

What came before what is said by the chain, between chains by the checkpoints; never by
the clock, which may be corrected between any two events, nor by how the lines of
several chains are mixed. A station keeps to one chain. Only when a registry is moved
does it go on with another; what was authorised before is not written after, because the
key that it is sealed to stays behind.
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import NamedTuple

from kiosk.authority.operation.authorised_time import CLOCK_STEP, WRITE_SECONDS
from kiosk.authority.proof import statement
from kiosk.authority.proof.seen_once import SeenOnce
from kiosk.authority.proof.signature_checks import Claim, InTurn, SignatureChecks
from kiosk.core.errors import Message
from storage.records import AuditEvent


@dataclass(frozen=True, slots=True)
class EvidenceFinding:
    """One write that its evidence does not carry."""

    station: str
    seq: int
    reason: Message


_WITHOUT_PIN = "9E"
"""The slot of the card authentication key (SP 800-73-5 part 1)."""
_STEPS = 2 * CLOCK_STEP
"""Seconds by which two events' times may differ from what was judged then."""

Covers = Callable[[str, int], int]
"""The number of the first checkpoint that covers a link: its chain, its number."""


def unproven_writes(
    events: Iterable[AuditEvent], covers: Covers = lambda _lane, _seq: 0
) -> list[EvidenceFinding]:
    """Return every write without sound evidence, in order.

    Each chain's events come in its order; the chains may be mixed as one likes.
    `covers` silent: a key that another chain has on record proves a write whenever it
    came, and makes no keyless write one of a credential that has a key.
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
    covered: int
    """By which checkpoint first."""


class _Write(NamedTuple):
    """What is kept of a write, of which there may be as many as a site has made."""

    number: int
    """Which write it is of all."""
    lane: str
    seq: int
    station: str
    credential: str
    operation: str
    key: str
    """The key (SHA-256) that it rests on; none: it rests on the exception for
    credentials that have none on record."""


class _Found(NamedTuple):
    """What is wrong with a write."""

    write: _Write
    problem: str


def _kept_of(number: int, event: AuditEvent, key: str) -> _Write:
    """Return what is kept of a write; what many have in common, once."""
    lane, station, credential, key = map(
        intern, (event.lane, event.station, event.credential, key)
    )
    return _Write(number, lane, event.seq, station, credential, event.operation, key)


class Proofs:
    """Looks for the proof of each write while the events pass.

    What is kept is what is on record of keys, what has been authorised and not yet
    written, eight bytes for each write, with room for as many more, and some 250 for
    one whose key only a chain that is read later has on record.
    """

    def __init__(
        self,
        covers: Covers,
        begins: Collection[str] = (),
        checks: SignatureChecks | None = None,
    ) -> None:
        """`begins`: the chains of which a part was moved away (see `unjudged`).

        `covers` knows every checkpoint when the first event comes.
        """
        self._covers, self._begins = covers, begins
        self._checks = checks or InTurn()
        self.writes = 0
        self.unjudged = 0
        """Writes whose proof may lie in what was moved away. After `findings`."""
        self.unnamed = 0
        """Writes that do not say whose password it was: an earlier version's.

        What a card signed says it, so they are counted, and no findings.
        """
        self._keys: dict[str, list[_Record]] = {}
        self._authorised: dict[tuple[str, str], AuditEvent] = {}
        """By chain and operation."""
        self._written = SeenOnce()
        self._first: dict[str, float] = {}
        self._found: list[_Found] = []
        self._open: list[_Write] = []
        self._takes = {
            "credential.key_recorded": self._record,
            "operation.authorised": self._authorise,
            "operation.writing": self._write,
        }

    def take(self, event: AuditEvent) -> None:
        """Take the next event."""
        if self._begins and event.lane in self._begins:
            self._first.setdefault(event.lane, event.at)
        takes = self._takes.get(event.kind)
        if takes is not None:
            takes(event)

    def _record(self, event: AuditEvent) -> None:
        if event.data.get("slot") == _WITHOUT_PIN:
            return  # it signs without the PIN, so for no write
        lane, seq, key = event.lane, event.seq, event.data.get("key_sha256", "")
        record = _Record(intern(lane), seq, intern(key), self._covers(lane, seq))
        self._keys.setdefault(event.credential, []).append(record)

    def _authorise(self, event: AuditEvent) -> None:
        self._authorised[event.lane, event.operation] = event

    def _write(self, event: AuditEvent) -> None:
        self.writes += 1
        proof = self._authorised.pop((event.lane, event.operation), None)
        claim, problem = _judged(event, proof)
        self.unnamed += "account_guid" not in event.data
        if not self._written.add(hash(event.operation)):
            problem = "written_twice"
        key = hashlib.sha256(claim.spki).hexdigest() if claim else ""
        number = self.writes
        if problem == "no_authorisation" and self._is_early(event):
            self.unjudged += 1
        elif problem:
            self._is_wrong(number, event, key, problem)
        else:
            if claim is not None:
                self._checks.check(
                    claim,
                    partial(self._is_wrong, number, event, key, "signature_wrong"),
                )
            if not key or not self._is_on_record(event, key):
                self._open.append(_kept_of(number, event, key))

    def _is_wrong(self, number: int, event: AuditEvent, key: str, problem: str) -> None:
        self._found.append(_Found(_kept_of(number, event, key), problem))

    def _is_early(self, write: AuditEvent) -> bool:
        """Say whether its authorisation can have been moved away."""
        first = self._first.get(write.lane)
        return first is not None and write.at - first <= WRITE_SECONDS + _STEPS

    def _is_on_record(self, write: _Write | AuditEvent, key: str) -> bool:
        """Say whether a key was on record for its credential before."""
        records = self._keys.get(write.credential, ())
        return any(
            each.key == key and self._came_before(each, write) for each in records
        )

    def _had_a_key(self, write: _Write) -> bool:
        """Say whether any key was on record for its credential before: of what another
        chain has and the same checkpoint covers first, nobody can tell.
        """
        covered = self._covers(write.lane, write.seq)
        return any(
            self._came_before(each, write)
            and (each.lane == write.lane or each.covered < covered)
            for each in self._keys.get(write.credential, ())
        )

    def _came_before(self, record: _Record, write: _Write | AuditEvent) -> bool:
        if record.lane == write.lane:
            return record.seq < write.seq
        return record.covered <= self._covers(write.lane, write.seq)

    def findings(self) -> list[EvidenceFinding]:
        """Return the writes that nothing proves, when all events have passed."""
        self._checks.finish()
        found = {each.write.number: each for each in self._found}
        for write in self._open:
            if write.number in found:
                continue
            problem = ""
            if not write.key and self._had_a_key(write):
                problem = "has_a_key"
            elif self._is_on_record(write, write.key):
                continue
            elif self._begins:
                self.unjudged += 1
            elif write.key:
                problem = "key_not_on_record"
            if problem:
                found[write.number] = _Found(write, problem)
        return [
            EvidenceFinding(
                write.station,
                write.seq,
                Message(f"evidence.{problem}", {"operation": write.operation}),
            )
            for write, problem in sorted(found.values())
        ]


def _judged(write: AuditEvent, proof: AuditEvent | None) -> tuple[Claim | None, str]:
    """Return the claim that one write rests on, and what is wrong with it already.

    No claim: it rests on the exception for credentials that have no key on record.
    """
    if proof is None:
        return None, "no_authorisation"
    if not -_STEPS <= write.at - proof.at <= WRITE_SECONDS + _STEPS:
        return None, "authorisation_late"
    sealed, data = write.data.get("sealed_sha256"), proof.data
    if data.get("sealed_sha256") != sealed:
        return None, "other_value"
    if "exception" in data:
        return None, ""
    try:
        claim = Claim(
            a2b_base64(data["key"], strict_mode=True),
            a2b_base64(data["statement"], strict_mode=True),
            a2b_base64(data["signature"], strict_mode=True),
        )
        named = statement.read(claim.message)
    except (KeyError, ValueError):  # no base64, no statement
        return None, "no_statement"
    if (
        named.operation != write.operation
        or named.kind != write.data.get("kind")
        or named.credential != write.credential
        or named.station != write.station
    ):
        return claim, "other_operation"
    if named.sealed_digest.hex() != sealed:
        return claim, "other_value"
    account = write.data.get("account_guid", named.account.hex())
    if named.account.hex() != account.replace("-", ""):
        return claim, "other_account"
    return claim, ""
