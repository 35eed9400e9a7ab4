"""A case that is out of step, closed or finished at the desk."""

from __future__ import annotations

import pytest
from lab.desk.office import PIN, Office

from kiosk.authority.operation.transitions import UNDER_WAY_SECONDS
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.interference import ProcessDied, die
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.texts import sentence
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.operation import Kind
from storage.records import Sync

pytestmark = pytest.mark.usefixtures("here_and_relayed")


def test_an_out_of_step_case_is_closed_with_a_reason() -> None:
    office = Office()
    office.person("alice")
    office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("close")
    office.submit(reason="leaves on Friday")
    credential = office.world.credential("alice")
    assert credential.sync is Sync.NOT_SYNCHRONISED
    assert credential.sync_reason == "reason.case_closed"
    assert office.world.directory.writes == []


def test_an_out_of_step_case_is_finished_with_the_person_who_is_there() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(alice)
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"
    assert office.world.credential("alice").sync is Sync.IN_STEP
    with Secret(PIN) as pin:
        assert office.world.directory.binds(alice.account_guid, pin)


def test_finishing_wants_the_card_of_the_case() -> None:
    office = Office()
    for name in ("alice", "bert"):
        office.person(name)
        office.holder(name, sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(office.world.holders["bert"])
    assert sentence(Message("card.wrong_card")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.world.directory.writes == []


def test_finishing_wants_the_card_of_the_case_not_another_of_the_same_person() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    made, puk = office.world.make_card("alice", pin=PIN)
    other = office.world.register(
        "second card",
        made,
        puk,
        account_guid=alice.account_guid,
        template="staff",
        sync=Sync.OUT_OF_STEP,
    )
    office.insert(other)
    assert sentence(Message("card.wrong_card")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.world.directory.writes == []


def test_finishing_over_a_password_set_elsewhere_is_said_before_anything_is_typed() -> (
    None
):
    office = Office()
    office.person("alice")
    alice = office.holder("alice")
    office.world.directory.change_elsewhere(alice.account_guid, Secret(b"Theirs-1"))
    at_kiosk = office.world.readers.insert(alice.made.card)
    office.world.visit(at_kiosk).recognise()
    office.sign_in("hanna")
    office.open("alice")
    office.insert(alice)
    office.choose("finish")
    assert sentence(Message("confirm.changed_elsewhere")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"


def test_what_changed_while_the_page_was_open_is_shown_and_nothing_is_done() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(alice)
    changed = sentence(Message("confirm.changed_elsewhere"))
    assert changed not in office.text()
    office.world.directory.change_elsewhere(alice.account_guid, Secret(b"Theirs-1"))
    office.submit({"current_pin": PIN})
    assert office.notice == "authority.not_as_announced"
    assert office.world.directory.writes == []
    assert changed in office.text()
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"


def out_of_step() -> tuple[Office, SimulatedHolder]:
    """An operator is about to close the case of a person whose card is ahead."""
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("close")
    return office, alice


def finish(office: Office, alice: SimulatedHolder) -> Result:
    """Alice is at a kiosk, and comes to an end."""
    visit = office.world.visit(office.world.readers.insert(alice.made.card))
    visit.recognise()
    form = visit.begin(Kind.FINISH)
    typed = {FieldName.CURRENT_PIN: Secret(PIN)}
    return visit.submit(form, Answers(typed, confirmed=True), lambda progress: None)


def test_a_case_that_is_in_step_meanwhile_is_not_closed() -> None:
    office, alice = out_of_step()
    assert finish(office, alice).outcome is Outcome.DONE
    office.submit(reason="leaves on Friday")
    assert office.notice == "enrollment.nothing_to_close"
    assert office.world.credential("alice").sync is Sync.IN_STEP
    assert office.events("credential.case_closed") == []


@pytest.mark.parametrize("step", ["authorise", "write"])
def test_a_case_that_somebody_is_finishing_is_not_closed(step: str) -> None:
    office, alice = out_of_step()
    world = office.world

    def close() -> None:
        office.submit(reason="leaves on Friday")

    world.authority.before(step, close)
    assert finish(office, alice).outcome is Outcome.DONE
    assert office.notice == "enrollment.nothing_to_close"
    assert world.credential("alice").sync is Sync.IN_STEP
    assert office.events("credential.case_closed") == []


@pytest.mark.parametrize("step", ["authorise", "write"])
def test_a_case_whose_last_visit_broke_off_is_closed_after_a_while(step: str) -> None:
    """The kiosk lost its power, and nobody may come again with that card."""
    office, alice = out_of_step()
    office.world.authority.before(step, die)
    with pytest.raises(ProcessDied):
        finish(office, alice)
    office.submit(reason="leaves on Friday")
    assert office.notice == "enrollment.nothing_to_close"
    office.world.clock.sleep(UNDER_WAY_SECONDS)
    office.submit(reason="leaves on Friday")
    assert office.world.credential("alice").sync is Sync.NOT_SYNCHRONISED
    assert len(office.events("credential.case_closed")) == 1
