"""A card is issued at the desk, from person to PIN."""

from __future__ import annotations

import pytest
from lab.desk.blanks import blank, gids_template
from lab.desk.office import Office, signed_in

from kiosk.desk.views import Style
from kiosk.directory.values import MOST_PEOPLE
from kiosk.simulation.cards.gids import SimulatedGidsCard
from statemachine.lifecycle import State

pytestmark = pytest.mark.usefixtures("here_and_relayed")


def test_who_is_not_among_the_first_of_many_is_found_by_more_letters() -> None:
    office = signed_in("olga")
    for number in range(MOST_PEOPLE + 5):
        office.person(f"kim{number:03}")
    office.choose("issue")
    office.submit(term="kim")
    assert len(office.page.choices) == MOST_PEOPLE
    assert "Type more of the name" in office.text()
    office.submit(term="kim10")
    assert len(office.page.choices) == 5
    assert "Type more of the name" not in office.text()


def test_two_people_of_one_name_are_told_apart() -> None:
    office = Office()
    office.person("john.smith", details=("Sales", "Room 4"))
    office.person("john.smith2", details=("Legal",))
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="john")
    assert [choice.detail for choice in office.page.choices] == [
        "john.smith@ad.test  ·  Sales  ·  Room 4",
        "john.smith2@ad.test  ·  Legal",
    ]


def test_a_blank_card_is_issued_from_the_screen() -> None:
    office = Office()
    office.person("alice")
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    office.choose("staff")
    card = office.world.readers.insert(blank(office))
    office.page = office.desk.card_came(card)
    office.submit()
    assert office.page.name == "issued", office.notice
    (found,) = office.world.registry.run(
        lambda tx: tx.credentials(state=State.ISSUED, limit=100)
    )
    assert found.account == "alice@ad.test"
    steps = [message.key for message in office.said]
    assert "enrollment.step.certificate" in steps
    assert steps[-1] == "enrollment.step.record"


def test_a_blank_gids_card_is_issued_from_the_screen() -> None:
    office = Office()
    office.person("alice")
    gids_template(office, "RSA-2048")
    gids_template(office, "P-256")
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    refused = {each.key: each.refusal for each in office.page.choices}
    assert refused["windows RSA-2048"] is None
    assert refused["windows P-256"] is not None, "no such card makes that key"
    office.choose("windows RSA-2048")
    chip = SimulatedGidsCard(entropy=office.world.entropy)
    office.page = office.desk.card_came(office.world.readers.insert(chip))
    office.submit()
    assert office.page.name == "issued", office.notice
    (found,) = office.world.registry.run(
        lambda tx: tx.credentials(state=State.ISSUED, limit=9)
    )
    assert found.account == "alice@ad.test"
    pin = next(str(line.text) for line in office.page.lines if line.style is Style.CODE)
    assert chip.has_pin(pin.encode())
