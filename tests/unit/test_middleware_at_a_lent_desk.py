"""A desk whose session is at the authority, and cards that only a vendor's middleware
speaks to: it says so, where nothing has been begun yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lab.desk import office as desk_office
from lab.desk.office import Office
from lab.desk.relayed_desk import relayed
from msgspec.structs import replace as replaced

from kiosk.authority.office.ports import OfficeAuthority
from kiosk.core.errors import Message
from kiosk.desk.context import Site
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.texts import sentence
from storage.records import CardType, FirstPin, Template

TOKENS = Template(
    name="tokens", card_type=CardType.PKCS11, first_pin=FirstPin.TRANSPORT_PIN
)
ELSEWHERE = "relay.middleware_elsewhere"


def lent(authority: OfficeAuthority, site: Site) -> DeskPort:
    return relayed(authority, replace(site, is_lent=True))


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(desk_office, "desk_of", [lent])
    made = Office()
    made.world.add_template(TOKENS)
    made.person("alice")
    made.sign_in("olga")
    yield made
    made.desk.sign_out()


def insert_token(office: Office) -> None:
    made = make_idprime_card(office.world.entropy, subject="Alice", pin=b"271828")
    office.page = office.desk.card_came(office.world.readers.insert(made.card))


def test_a_template_for_such_cards_is_refused_before_a_card_is_asked_for(
    office: Office,
) -> None:
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    assert office.refusal("tokens") == ELSEWHERE
    assert office.refusal("staff") == ""
    office.choose("staff")
    assert "relay.issues_alone" in office.sentences()


def test_a_list_with_such_a_line_is_refused_when_it_is_read(
    office: Office, tmp_path: Path
) -> None:
    """All lines that cannot be done here are named, and nothing is begun."""
    office.person("bob")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob@ad.test,staff\nalice@ad.test,tokens\n")
    office.choose("batch")
    office.submit(file=str(people))
    assert office.notice == "desk.batch_wrong"
    table = office.page.table
    assert table is not None
    (row,) = table.rows
    assert row.cells[:3] == ("3", "alice@ad.test", "tokens")
    assert row.cells[3] == Message(ELSEWHERE, {"template": "tokens"})
    assert [it.name for it in tmp_path.iterdir()] == [people.name]


def test_a_template_that_became_one_for_such_cards_is_refused_at_its_line(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice@ad.test,later\n")
    office.world.add_template(replaced(TOKENS, name="later", card_type=CardType.PIV))
    office.choose("batch")
    office.submit(file=str(people))
    assert "relay.issues_alone" in office.sentences()
    office.world.add_template(replaced(TOKENS, name="later", version=1))
    insert_token(office)
    office.submit({"token_pin": b"271828"})
    assert office.notice == ELSEWHERE
    cards = [
        it.card for it in office.world.registry.run(lambda tx: tx.credentials(limit=9))
    ]
    assert cards == []


def test_such_a_card_is_told_what_becomes_of_it(office: Office) -> None:
    insert_token(office)
    assert office.notice == "card.not_lent"
    said = sentence(Message("card.not_lent"))
    for word in ("middleware", "enrollment station", "kiosk"):
        assert word in said, "what, where, and what to do"


def test_such_a_card_signs_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_office, "desk_of", [lent])
    office = Office()
    insert_token(office)
    office.submit({"pin": b"271828"})
    assert office.notice == "card.not_lent"


def test_a_desk_of_its_own_says_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_office, "desk_of", [Session])
    office = Office()
    office.world.add_template(TOKENS)
    office.person("alice")
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    assert office.refusal("tokens") == ""
    office.choose("staff")
    assert "relay.issues_alone" not in office.sentences()
