"""What the desk tells of the evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.desk.office import PIN, signed_in

from kiosk.core.secret import Secret
from kiosk.simulation.domain_faults import WriteNo
from kiosk.texts import sentence
from kiosk.visit.views import Answers, FieldName
from statemachine.operation import Kind

pytestmark = pytest.mark.usefixtures("here_and_relayed")


def test_operators_are_told_for_a_month_that_an_older_registry_was_found() -> None:
    office = signed_in("hanna")
    assert "older registry" not in office.text()
    now = office.world.clock.now()
    office.world.registry.distrust(station="desk-1", now=now, kind="registry.older")
    office.choose("list:out_of_step")
    office.back()
    assert "an older registry was found in the place of this one" in office.text()
    office.world.clock.sleep(31 * 86400.0)
    office.choose("list:out_of_step")
    office.back()
    assert "older registry" not in office.text()


def test_an_auditor_verifies_and_exports_the_evidence(tmp_path: Path) -> None:
    office = signed_in("aaron")
    office.choose("audit")
    office.choose("verify")
    assert "UNANCHORED" in office.text(), "nothing has been signed yet"
    target = tmp_path / "evidence.jsonl"
    office.submit(file=str(target))
    assert office.notice == "desk.audit.exported"
    office.choose("verify")
    assert "SOUND and complete" in office.text()
    assert target.stat().st_mode & 0o777 == 0o600
    office.submit(file=str(target))
    assert office.notice == "desk.not_exported", "nothing is written over"
    other = tmp_path / "other.jsonl"
    office.submit(receipt="999", file=str(other))
    assert office.notice == "desk.audit.one_of_them", "which of the two was meant?"
    assert not other.exists()


def test_what_a_controller_answered_is_under_the_number_that_the_person_read_out() -> (
    None
):
    office = signed_in("aaron")
    office.person("ann")
    holder = office.holder("ann")
    office.domain.fail(WriteNo(why="other"))
    visit = office.world.visit(office.world.readers.insert(holder.made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {
        FieldName.OLD_PIN: Secret(PIN),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    result = visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
    assert "0000001F" in " ".join(sentence(fact) for fact in result.facts)
    (event,) = office.events("operation.rolling_back")
    assert (event["ldap_result"], event["hex"]) == ("53", "0000001F")
    assert event["said"] == "0000001F: other"
    office.choose("audit")
    office.submit(receipt=result.event)
    told = office.text()
    assert "LDAP result 53" in told
    assert "0000001F: other" in told
