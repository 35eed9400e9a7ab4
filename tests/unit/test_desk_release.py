"""An unblock code at the desk: questions, the code, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab.desk.office import Office, signed_in
from msgspec.structs import replace as with_fields

from kiosk.authority.escrow import puks
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.texts import sentence
from kiosk.visit.views import Answers, FieldName
from statemachine.operation import Kind
from storage.registry import Tx

pytestmark = pytest.mark.usefixtures("here_and_relayed")


def test_a_release_asks_the_sites_questions_and_shows_the_code_once() -> None:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    assert "employee number" in office.text()
    office.submit()
    assert office.page.name == "read_out"
    code = office.page.lines[1].text
    assert isinstance(code, str)
    assert len(code.replace(" ", "")) == 9
    office.back()
    assert code not in office.text()


def test_what_the_holder_does_with_a_code_is_seen_and_the_code_goes() -> None:
    office = signed_in("hanna")
    card = office.world.holders["alice"].made.card
    card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    office.submit()
    code = office.page.lines[1].text
    assert isinstance(code, str)
    assert "desk.meanwhile.waiting" in office.sentences()
    visit = office.world.visit(office.world.readers.insert(card))
    visit.recognise()
    form = visit.begin(Kind.UNBLOCK)
    typed = {
        FieldName.RELEASE_CODE: Secret(code.replace(" ", "").encode()),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
    office.page = office.desk.page()
    assert {"desk.meanwhile.pin_set", "desk.visit.done"} <= set(office.sentences())
    assert code not in office.text()


def test_a_code_that_has_run_out_is_taken_off_the_screen() -> None:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    office.submit()
    code = str(office.page.lines[1].text)
    office.world.clock.sleep(601.0)
    office.page = office.desk.page()
    assert code not in office.text()
    assert "desk.code_is_over" in office.sentences()


def test_where_the_answers_are_found_stands_beside_the_questions() -> None:
    office = signed_in("hanna", answers=("employeeID",))
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    assert "compare with: employeeID" in office.text()


def leave_one_try_at_the_puk(office: Office) -> None:
    """By the record of alice's card, at worst."""
    own = office.world.holders["alice"].credential

    def commit(tx: Tx) -> None:
        known = tx.credential(own)
        escrow = puks.kept(known.escrow, replace(puks.of(known.escrow), left=1))
        tx.save_credential(with_fields(known, escrow=escrow))

    office.world.registry.run(commit)


def about_to_release() -> Office:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    return office


def test_who_gives_a_code_for_the_last_try_is_told_so() -> None:
    office = about_to_release()
    leave_one_try_at_the_puk(office)
    office.choose("release")
    assert sentence(Message("desk.puk_last_try")) in office.text()
    office.submit()
    assert office.page.name == "read_out"


def test_no_code_for_the_last_try_is_made_for_who_was_not_told() -> None:
    """It became the last one while the page was open."""
    office = about_to_release()
    office.choose("release")
    assert sentence(Message("desk.puk_last_try")) not in office.text()
    leave_one_try_at_the_puk(office)
    office.submit()
    assert office.notice == "enrollment.last_try"
    assert office.events("approval.issued") == []
