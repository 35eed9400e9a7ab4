"""The hash chain: what the verifier finds, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from storage import audit
from storage.records import AuditDraft, AuditEvent


def chain(length: int = 5) -> list[AuditEvent]:
    events: list[AuditEvent] = []
    for number in range(length):
        draft = AuditDraft(at=float(number), station="k1", kind=f"e{number}", actor="a")
        previous = events[-1].hash if events else audit.GENESIS
        events.append(audit.link(draft, seq=number + 1, previous=previous))
    return events


def test_an_untouched_chain_is_sound() -> None:
    verdict = audit.verify(chain())
    assert verdict.is_sound
    assert verdict.events == 5


def edited(events: list[AuditEvent]) -> list[AuditEvent]:
    return [*events[:2], replace(events[2], actor="b"), *events[3:]]


def edited_and_hashed_again(events: list[AuditEvent]) -> list[AuditEvent]:
    draft = AuditDraft(at=2.0, station="k1", kind="e2", actor="b")
    forged = audit.link(draft, seq=3, previous=events[1].hash)
    return [*events[:2], forged, *events[3:]]


@pytest.mark.parametrize(
    ("tamper", "problem", "seq"),
    [
        (edited, "altered", 3),
        (edited_and_hashed_again, "broken", 4),
        (lambda events: events[:2] + events[3:], "gap", 4),
        (lambda events: events[1:], "gap", 2),
        (lambda events: [*events[:2], events[3], events[2], events[4]], "gap", 4),
        (lambda events: [*events, events[-1]], "gap", 5),
    ],
)
def test_the_first_bad_link_is_named(
    tamper: Callable[[list[AuditEvent]], list[AuditEvent]], problem: str, seq: int
) -> None:
    verdict = audit.verify(tamper(chain()))
    assert (verdict.problem, verdict.station, verdict.seq) == (problem, "k1", seq)
