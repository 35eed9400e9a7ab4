"""Evidence and risk at the desk: in words, searched, opened, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.desk.office import Office

from kiosk.authority.office.values import (
    RiskFinding,
)
from kiosk.core.errors import Message
from kiosk.desk.pages import events
from kiosk.desk.tables import Look
from kiosk.texts import text
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase
from storage.records import Sync


@pytest.mark.parametrize(
    "key",
    [
        *(f"desk.state.{each}" for each in State),
        *(f"desk.sync.{each.replace(' ', '_')}" for each in Sync),
        *(f"desk.did.{each}" for each in Kind),
        *(f"desk.finding.{each}" for each in RiskFinding),
        *(f"risk.{each}" for each in RiskFinding),
        *sorted(
            words.key
            for words in map(events.in_words, events.KINDS)
            if isinstance(words, Message)
        ),
    ],
)
def test_what_comes_from_an_enumeration_is_said_in_words(key: str) -> None:
    assert text(key)


def auditor() -> Office:
    office = Office()
    for name in ("alice", "bob"):
        office.person(name)
        office.holder(name)
    office.sign_in("aaron")
    return office


def looked(office: Office, term: str) -> list[str]:
    office.page = office.desk.look(Look(term=term))
    assert office.page.table is not None
    return [
        cell.key if isinstance(cell, Message) else str(cell)
        for row in office.page.table.rows
        for cell in row.cells
    ]


def test_an_auditor_looks_through_the_evidence_and_opens_a_card() -> None:
    office = auditor()
    office.choose("evidence")
    assert "desk.event.lifecycle_issue" in looked(office, "issue")
    assert "Bob Example" not in looked(office, "alice")
    assert looked(office, "nobody at all") == []
    looked(office, "alice")
    assert office.page.table is not None
    office.choose(office.page.table.rows[0].key)
    assert office.page.title == "Alice Example"


def test_nothing_of_the_evidence_is_said_by_a_programs_name() -> None:
    office = auditor()
    office.choose("evidence")
    said = " ".join(looked(office, ""))
    assert "lifecycle.issue" not in said
    assert "key_sha256" not in said


@pytest.mark.parametrize("name", ["hanna", "olga"])
def test_who_may_not_export_sees_neither_evidence_nor_risk(name: str) -> None:
    office = Office()
    office.sign_in(name)
    assert office.refusal("risk") is None
    assert office.refusal("evidence") is None
    office.choose("risk")
    assert office.page.name == "menu"


def test_the_risk_report_is_a_table_that_is_filtered_opened_and_exported(
    tmp_path: Path,
) -> None:
    office = auditor()
    office.choose("risk")
    assert office.page.table is not None
    every = len(office.page.table.rows)
    office.page = office.desk.look(Look(filter="short_numeric"))
    assert office.page.table is not None
    assert 0 < len(office.page.table.rows) < every
    office.choose("export")
    office.submit(file=str(tmp_path / "risk.csv"))
    assert office.notice == "desk.risk.exported"
    lines = (tmp_path / "risk.csv").read_text().splitlines()
    assert len(lines) == every + 1
    assert office.page.table is not None
    office.choose(office.page.table.rows[0].key)
    assert office.page.name == "credential"


def test_phases_that_end_a_visit_have_a_sentence() -> None:
    for phase in (Phase.DONE, Phase.REFUSED, Phase.ROLLED_BACK, Phase.OUT_OF_STEP):
        assert text(f"desk.visit.{phase}")
