"""What evidence shows, and in words: is it whole, and is every write in it proven?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kiosk.authority.proof.evidence import EvidenceFinding, Proofs
from kiosk.authority.proof.signature_checks import SignatureChecks
from kiosk.core.errors import Message
from storage import walk
from storage.checkpoints import LANE
from storage.completeness import Completeness, EvidenceSource, KnownHead, judge
from storage.coverage import Coverage
from storage.records import AuditEvent
from storage.registry import Registry
from storage.signed_note import NoteKey


@dataclass(frozen=True, slots=True)
class Verified:
    """Evidence that was judged."""

    whole: Completeness
    findings: tuple[EvidenceFinding, ...]
    """Writes that it does not carry. Not looked for where it is not whole."""
    writes: int
    station: str = ""
    """It is an extract: this station's."""
    unjudged: int = 0
    """Writes whose proof may lie in what was moved away."""
    unnamed: int = 0
    """Writes that do not say themselves whose password it was."""
    moved_away: int = 0
    """Events that were moved away and are not looked at."""

    @property
    def is_sound(self) -> bool:
        """Say whether nothing is wrong with it."""
        return self.whole.fault is None and not self.findings

    @property
    def is_anchored(self) -> bool:
        """Say whether something known from elsewhere vouches for it."""
        return self.is_sound and self.whole.known is not None


_TOLD_OF = 100
"""Events that are told of at once."""


def evidence_of(
    registry: Registry, told: Callable[[int], None] = lambda _events: None
) -> EvidenceSource:
    """Return the evidence of a registry: as it is now, whatever comes while it is read.
    Read it while that is at rest.

    `told` hears how many events were read more; while checkpoints are, that none were.
    """
    ends = registry.read(lambda view: view.heads())

    def read(lane: str | None, together: int) -> Iterator[AuditEvent]:
        left = _TOLD_OF
        for event in walk.up_to(registry.audit_events(lane=lane), ends):
            left -= 1
            if not left:
                told(together)
                left = _TOLD_OF
            yield event

    return EvidenceSource(
        checkpoints=lambda: read(LANE, 0),
        events=lambda: read(None, _TOLD_OF),
        begins=registry.moved_away(),
    )


def events_to_read(registry: Registry) -> int:
    """Return how many events `evidence_of` has. RegistryError."""
    heads, away = registry.read(lambda view: view.heads()), registry.moved_away()
    ends = (heads.values(), away.values())
    there, gone = (sum(head.seq for head in each) for each in ends)
    return there - gone


def verify(
    evidence: EvidenceSource,
    *,
    keys: Sequence[NoteKey] = (),
    heads: Sequence[KnownHead] = (),
    checks: SignatureChecks | None = None,
) -> Verified:
    """Judge evidence as a whole and every write in it, in one reading of the events.

    `checks`: who verifies the signatures; None: this thread.
    """
    coverage = Coverage()
    proofs = Proofs(coverage, evidence.begins, checks)
    whole = judge(evidence, keys=keys, heads=heads, coverage=coverage, seen=proofs.take)
    station = evidence.extract.station if evidence.extract else ""
    if whole.fault is not None:
        return Verified(whole, (), 0, station)
    findings = tuple(proofs.findings())
    return Verified(
        whole,
        findings,
        proofs.writes,
        station,
        unjudged=proofs.unjudged,
        unnamed=proofs.unnamed,
        moved_away=sum(
            head.seq for lane, head in evidence.begins.items() if lane != LANE
        ),
    )


# --- in words --------------------------------------------------------------------


def damage(verified: Verified) -> Message | None:
    """Say where it is not whole."""
    fault = verified.whole.fault
    if fault is None:
        return None
    told: dict[str, str | int] = {"station": fault.station, "seq": fault.seq}
    return Message(f"evidence.damage.{fault.damage}", told)


def shown(verified: Verified, *, is_own_key: bool = False) -> tuple[Message, ...]:
    """Say what it shows: of sound evidence only.

    `is_own_key`: the key that vouches for it is the one of this station's own vault.
    """
    whole = verified.whole
    sums: dict[str, str | int] = {
        "events": whole.events,
        "stations": len(whole.stations),
        "writes": verified.writes,
    }
    return (
        Message("evidence.sums", sums),
        *_moved_away(verified),
        *_extract(verified),
        *_reach(whole, is_own_key=is_own_key),
    )


def signers(verified: Verified) -> tuple[Message, ...]:
    """Say which key has signed which checkpoints."""
    return tuple(
        Message(
            "evidence.signed_by",
            {"first": span.first, "last": span.last, "key": str(span.key)},
        )
        for span in verified.whole.spans
    )


def _extract(verified: Verified) -> Iterator[Message]:
    if verified.station:
        others = ", ".join(verified.whole.left_out) or "–"
        told: dict[str, str | int] = {"station": verified.station, "others": others}
        yield Message("evidence.extract", told)


def _moved_away(verified: Verified) -> Iterator[Message]:
    if verified.moved_away:
        yield Message("evidence.moved_away", {"count": verified.moved_away})
    if verified.unjudged:
        yield Message("evidence.unjudged", {"count": verified.unjudged})
    if verified.unnamed:
        yield Message("evidence.unnamed", {"count": verified.unnamed})


def _reach(whole: Completeness, *, is_own_key: bool) -> Iterator[Message]:
    """Say from when to when, and who vouches for that."""
    if not whole.spans:
        yield Message("evidence.no_checkpoints")
        return
    newest = whole.known or whole.spans[-1]
    told: dict[str, str | int] = {
        "since": moment(whole.since),
        "until": moment(newest.until),
        "number": newest.last,
        "last": whole.spans[-1].last,
    }
    if whole.known is None:
        yield Message("evidence.unanchored", told)
    else:
        by = "own_key" if is_own_key else "complete"
        yield Message(f"evidence.{by}", told)
        if newest.last < whole.spans[-1].last:
            yield Message("evidence.known_only_until", told)
    if whole.uncovered:
        yield Message("evidence.uncovered", {"count": whole.uncovered})


def moment(at: float) -> str:
    """Return a time as an auditor reads it anywhere."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
