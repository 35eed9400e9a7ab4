"""How a credential is found at the desk: by a name, a number, a card."""

from __future__ import annotations

import pytest
from lab.desk.office import signed_in

from kiosk.core.secret import Secret
from kiosk.visit.views import Answers, FieldName
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import Sync

pytestmark = pytest.mark.usefixtures("here_and_relayed")


@pytest.mark.parametrize("term", ["Alice", "alice@ad", "example"])
def test_a_credential_is_found_by_a_part_of_a_name(term: str) -> None:
    office = signed_in("hanna")
    office.open(term)
    assert office.page.name == "credential"
    assert office.page.title == "Alice Example"


def test_a_credential_is_found_by_the_number_on_a_kiosks_screen() -> None:
    office = signed_in("hanna")
    world = office.world
    visit = world.visit(world.readers.insert(world.holders["alice"].made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {FieldName.OLD_PIN: Secret(b"000000"), FieldName.NEW_PIN: Secret(b"314159")}
    result = visit.submit(form, Answers(typed), lambda step: None)
    office.open(result.event)
    assert office.page.title == "Alice Example"


def test_lists_show_what_needs_somebody() -> None:
    office = signed_in("hanna")
    for name, state, sync in (
        ("bert", State.SUSPENDED, Sync.IN_STEP),
        ("cora", State.ACTIVE, Sync.OUT_OF_STEP),
    ):
        office.person(name)
        office.holder(name, state=state, sync=sync)
    office.choose("list:suspended")
    assert office.rows() == ["Bert Example"]
    office.back()
    office.choose("list:out_of_step")
    assert office.rows() == ["Cora Example"]


def test_a_card_that_is_put_in_opens_its_own_page_where_nobody_waits_for_one() -> None:
    office = signed_in("hanna")
    office.insert(office.world.holders["alice"])
    assert office.page.name == "credential"
    assert office.page.title == "Alice Example"


def test_a_card_that_is_put_in_for_a_page_stays_there() -> None:
    office = signed_in("olga")
    office.choose("import")
    office.insert(office.world.holders["alice"])
    assert office.page.name == "import"
