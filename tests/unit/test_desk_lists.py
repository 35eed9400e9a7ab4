"""What an agent finds while typing, and what waits in the lists."""

from __future__ import annotations

import pytest
from lab.desk.office import Office
from msgspec.structs import replace

from kiosk.desk.tables import ROWS, Look
from kiosk.desk.views import Page
from statemachine.lifecycle import State
from storage.records import Sync
from storage.view import fold

PEOPLE = (
    ("anna", "Anna Müller"),
    ("agross", "Anna Müller-Groß"),
    ("annem", "Anne Muller"),
    ("hmueller", "Hanna Müller"),
    ("zoe", "Zoë Łuk"),
)


def office_with(*people: tuple[str, str]) -> Office:
    """Somebody of the helpdesk, and people (account, holder) with a card on record."""
    office = Office()
    registry = office.world.registry
    office.holder("olga")
    like = office.world.credential("olga")
    for number, (account, holder) in enumerate(people):
        one = replace(
            like,
            id=account,
            card=f"piv:guid:{number:032x}",
            account=f"{account}@ad.test",
            holder=holder,
            version=0,
        )
        registry.run(lambda tx, one=one: tx.save_credential(one))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    office.sign_in("hanna")
    return office


def looked(office: Office, term: str, **how: object) -> list[str]:
    office.page = office.desk.look(Look(term=term, **how))  # type: ignore[arg-type]  # fields of Look
    return office.rows()


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (
            "muller an",
            ["Anna Müller", "Anna Müller-Groß", "Anne Muller", "Hanna Müller"],
        ),
        (
            "an muller",
            ["Anna Müller", "Anna Müller-Groß", "Anne Muller", "Hanna Müller"],
        ),
        ("MÜLLER gross", ["Anna Müller-Groß"]),
        ("luk", ["Zoë Łuk"]),
        ("zoë", ["Zoë Łuk"]),
        ("hmue", ["Hanna Müller"]),
        ("muller xyz", []),
        ("   ", []),
    ],
)
def test_words_are_found_in_any_order_and_without_accents(
    term: str, found: list[str]
) -> None:
    office = office_with(*PEOPLE)
    assert looked(office, term) == found


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("Müller", "muller"), ("u\u0308", "u"), ("ŁÓDŹ", "lodz"), ("Æ", "ae")],
)
def test_a_name_is_folded_to_what_anybody_can_type(typed: str, plain: str) -> None:
    assert fold(typed) == plain
    assert fold(plain) == plain


def test_rows_are_sorted_by_any_column_and_the_other_way_round() -> None:
    office = office_with(*PEOPLE)
    accounts = looked(office, "an", sorted_by="account", is_descending=True)
    assert accounts == [
        "Hanna Müller",
        "Anne Muller",
        "Anna Müller",
        "Anna Müller-Groß",
    ]
    for column in (each.key for each in office.page.table.columns):  # type: ignore[union-attr]
        assert len(looked(office, "an", sorted_by=column)) == 4


def test_rows_are_filtered_by_state() -> None:
    office = office_with(*PEOPLE)
    assert looked(office, "an", filter=State.BLOCKED) == []
    assert len(looked(office, "an", filter=State.ACTIVE)) == 4


def test_behind_the_last_row_there_is_a_way_on() -> None:
    office = office_with(*((f"p{n:03}", f"Person {n:03}") for n in range(ROWS + 45)))
    assert len(looked(office, "person")) == ROWS
    assert office.page.table is not None
    assert office.page.table.has_more
    everybody = looked(office, "person", rows=2 * ROWS)
    assert everybody == [f"Person {n:03}" for n in range(ROWS + 45)]
    assert not office.page.table.has_more


def out_of_step(office: Office, name: str, state: State) -> None:
    office.person(name)
    office.holder(name, state=state, sync=Sync.OUT_OF_STEP)


def test_a_retired_card_waits_for_nobody() -> None:
    office = office_with()
    out_of_step(office, "cora", State.ACTIVE)
    out_of_step(office, "dora", State.RETIRED)
    waits = next(
        each for each in office.back().choices if each.key == "list:out_of_step"
    )
    assert waits.count == "1"
    office.choose("list:out_of_step")
    assert office.rows() == ["Cora Example"]


def test_the_next_case_is_one_key_away_and_the_last_one_says_so() -> None:
    office = office_with()
    for name in ("cora", "dora"):
        out_of_step(office, name, State.ACTIVE)
    page: Page = office.choose("list:out_of_step")
    assert page.table is not None
    office.choose(page.table.rows[0].key)
    first = office.page.title
    office.choose("next")
    assert office.page.name == "credential"
    assert office.page.title != first
    office.choose("next")
    assert office.notice == "desk.no_next_case"


def test_a_case_that_is_closed_is_followed_by_the_first_that_is_left() -> None:
    office = office_with()
    for name in ("cora", "dora"):
        out_of_step(office, name, State.ACTIVE)
    page = office.choose("list:out_of_step")
    assert page.table is not None
    office.choose(page.table.rows[0].key)
    office.choose("close")
    office.submit(reason="the holder knows")
    closed = office.page.title
    office.choose("next")
    assert office.page.name == "credential"
    assert office.page.title != closed


def test_a_row_is_where_the_cursor_was_when_its_page_is_left() -> None:
    office = office_with(*PEOPLE)
    looked(office, "an")
    assert office.page.table is not None
    third = office.page.table.rows[2].key
    office.choose(third)
    office.back()
    assert office.page.table is not None
    assert office.page.table.at == third
    assert office.rows()[2] == "Anne Muller"
