"""Evidence and risk at the desk: in words, searched, opened, exported."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from lab.desk.office import PIN, Office

from kiosk.authority.office.values import (
    Risk,
    RiskFinding,
)
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.pages import events
from kiosk.desk.pages import risk as risk_page
from kiosk.desk.tables import Look
from kiosk.faces import wording
from kiosk.texts import text
from kiosk.tui.tray import DEMO_KEYS
from kiosk.visit.views import Answers, FieldName
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


def changed_pin(office: Office) -> str:
    """Alice changes her PIN at a kiosk; return the number that she can read out."""
    alice = office.world.holders["alice"]
    visit = office.world.visit(office.world.readers.insert(alice.made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {
        FieldName.OLD_PIN: Secret(PIN),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    return visit.submit(form, Answers(typed, confirmed=True), lambda _: None).event


def test_what_was_looked_for_is_exported_from_its_table(tmp_path: Path) -> None:
    office = auditor()
    office.choose("evidence")
    found = office.desk.look(Look(term="alice")).table
    assert found is not None
    office.choose("export")
    file = tmp_path / "alice.csv"
    office.submit(file=str(file))
    assert office.notice == "desk.audit.exported"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert len(rows) == len(found.rows)
    assert {each["holder"] for each in rows} == {"Alice Example"}
    told = office.events("audit.exported")[-1]
    assert (told["actor"], told["file"]) == ("aaron@ad.test", "alice.csv")


def test_no_cell_of_a_sheet_is_a_formula(tmp_path: Path) -> None:
    office = auditor()
    office.person("=eve")
    office.holder("=eve")
    office.choose("evidence")
    office.desk.look(Look(term="eve"))
    office.choose("export")
    office.submit(file=str(tmp_path / "e.csv"))
    rows = list(csv.DictReader((tmp_path / "e.csv").read_text("utf-8").splitlines()))
    assert {each["holder"] for each in rows} == {"'=Eve Example"}


def test_an_export_over_a_file_that_is_there_is_refused(tmp_path: Path) -> None:
    office = auditor()
    (tmp_path / "kept.csv").write_text("mine")
    office.choose("evidence")
    office.choose("export")
    office.submit(file=str(tmp_path / "kept.csv"))
    assert office.notice == "desk.not_exported"
    assert (tmp_path / "kept.csv").read_text() == "mine"


def test_the_receipt_of_an_events_operation_is_read_and_printed_once() -> None:
    office = auditor()
    number = changed_pin(office)
    office.choose("evidence")
    page = office.desk.look(Look(term="alice"))
    assert page.table is not None
    office.choose(f"receipt {page.table.rows[0].key}")
    assert office.page.name == "receipt"
    assert number in office.text()
    assert office.page.paper == ()
    page = office.choose("print")
    printed = [each.text for each in page.paper]
    assert number in printed
    assert office.events("audit.exported")[-1]["file"] == number
    assert office.desk.page().paper == (), "once"


@pytest.mark.parametrize(
    ("finding", "detail"),
    [
        (RiskFinding.NO_LOCKOUT, "domain"),
        (RiskFinding.KEYLESS, "without"),
        (RiskFinding.KEYLESS, "with helpdesk release"),
        (RiskFinding.PUK_DUE, "exposed"),
        (RiskFinding.UNKNOWN, "directory.unreachable"),
        (RiskFinding.UNSATISFIABLE, "complexity"),
    ],
)
def test_a_risk_is_explained_without_words_of_the_program(
    finding: RiskFinding, detail: str
) -> None:
    told = wording.said(risk_page.meaning(risk(finding, detail)))
    assert f"({detail})" not in told


@pytest.mark.parametrize("page", ["risk", "evidence"])
def test_a_page_takes_no_key_that_the_demos_tray_takes(page: str) -> None:
    office = auditor()
    office.choose(page)
    keys = {each.letter for each in office.page.choices}
    assert keys.isdisjoint(DEMO_KEYS), "else the demo offers what does not work there"


def test_a_policy_of_the_sites_own_is_named() -> None:
    told = wording.said(risk_page.meaning(risk(RiskFinding.NO_LOCKOUT, "Kiosk people")))
    assert "(Kiosk people)" in told


def risk(finding: RiskFinding, detail: str) -> Risk:
    return Risk(
        finding=finding,
        detail=detail,
        credential="1",
        holder="Alice",
        account="alice",
        template="staff",
    )


def test_the_laboratorys_cards_were_issued_by_whoever_may() -> None:
    office = auditor()
    kept = office.world.registry.audit_events()
    by = {each.actor for each in kept if each.kind == "lifecycle.issue"}
    assert by == {"enrollment office"}


def test_a_risk_is_searched_for() -> None:
    office = auditor()
    office.choose("risk")
    assert "Alice Example" in looked(office, "ALI")
    assert "Bob Example" not in looked(office, "ali")
    assert looked(office, "nobody") == []
