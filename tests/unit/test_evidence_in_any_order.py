"""Whole chains, mixed as one likes: what is found of their writes is the same."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.desk.witnessed import WitnessedSite, without
from msgspec.structs import replace

from kiosk.authority.proof.evidence import Proofs
from storage.checkpoints import LANE, SignedCheckpoint
from storage.coverage import Coverage
from storage.records import AuditEvent

Chains = dict[str, list[AuditEvent]]
Findings = list[tuple[str, int, str]]


class Case(NamedTuple):
    """The chains of a site, and what is wrong with its writes."""

    chains: Chains
    expected: list[str]


def chains_of(site: WitnessedSite) -> Chains:
    site.registry.checkpoint()
    chains: Chains = {}
    for event in site.store.audit_events():
        chains.setdefault(event.lane, []).append(event)
    return chains


def honest(site: WitnessedSite) -> Case:
    return Case(chains_of(site), [])


def authorised_elsewhere(site: WitnessedSite) -> Case:
    """The authorisation of a write at one kiosk lies in the chain of the other."""
    events = without(site.store.audit_events(), lambda e: e.lane == LANE)
    moved = next(
        e for e in events if (e.kind, e.station) == ("operation.authorised", "lobby")
    )
    site.forget_events()
    site.add(replace(e, station="annex") if e is moved else e for e in events)
    return Case(chains_of(site), ["no_authorisation"])


def recorded_later(site: WitnessedSite) -> Case:
    """One key goes on record when what it proves was written."""
    events = without(site.store.audit_events(), lambda e: e.lane == LANE)
    records = [e for e in events if e.kind == "credential.key_recorded"]
    site.forget_events()
    site.add(e for e in events if e not in records)
    site.registry.checkpoint()
    site.add(records)
    return Case(chains_of(site), ["key_not_on_record"] * 3)


@pytest.fixture(
    name="case", scope="module", params=[honest, authorised_elsewhere, recorded_later]
)
def _case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    folder: Path = tmp_path_factory.mktemp("site")
    site = WitnessedSite(folder)
    site.change("ann", at="lobby")
    site.change("ben", at="annex")
    site.clock.advance(61.0)
    site.change("ann", at="lobby")
    made: Case = request.param(site)
    return made


def found(chains: Chains, turns: list[str]) -> Findings:
    """Judge the chains, of which the next link comes as it is its turn."""
    coverage = Coverage()
    for link in chains[LANE]:
        coverage.add(SignedCheckpoint.of(link).checkpoint)
    proofs = Proofs(coverage)
    left = {lane: iter(events) for lane, events in chains.items()}
    for lane in turns:
        proofs.take(next(left[lane]))
    findings = proofs.findings()
    return sorted((each.station, each.seq, each.reason.key) for each in findings)


@given(data=st.data())
def test_how_chains_are_mixed_decides_nothing(case: Case, data: st.DataObject) -> None:
    in_turn = [lane for lane, events in case.chains.items() for _ in events]
    there = found(case.chains, in_turn)
    assert [key for _, _, key in there] == [f"evidence.{it}" for it in case.expected]
    turns = data.draw(st.permutations(in_turn))
    assert found(case.chains, turns) == there
