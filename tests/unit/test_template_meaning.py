"""What a template that is edited would mean: counted from the cards that use it."""

from __future__ import annotations

import dataclasses

import pytest
from lab.desk.office import Office
from lab.desk.site import Site, office_at
from msgspec.structs import replace

from kiosk.authority.office import template_meaning
from kiosk.authority.office.operators import NotInRole
from kiosk.authority.office.template_meaning import CardsOfTemplate
from kiosk.authority.office.values import COUNTED_FIELDS
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.config import OperatorRole
from kiosk.core.clock import ManualClock
from kiosk.core.errors import Message
from kiosk.desk.tables import Look
from kiosk.desk.views import Page, PageField
from statemachine.lifecycle import State
from storage.memory_registry import MemoryRegistry
from storage.records import (
    CardType,
    Credential,
    Escrow,
    Keyless,
    PinPolicy,
    PublicKey,
    Template,
    UnblockMethod,
)

DAY = 86_400.0
NOW = ManualClock().now()
STAFF = Template(name="staff", keyless=Keyless.WITHOUT)
KEY = PublicKey(slot="9A", algorithm="P-256", spki=b"k")
CARD = Credential(
    id="",
    card="",
    holder="",
    account="",
    account_guid="",
    template="staff",
    template_version=1,
    state=State.ACTIVE,
    authentication_key=KEY,
    escrow=Escrow(current_sealed="p"),
    pin_changed_at=NOW - 40 * DAY,
)


def registry_of(*cards: Credential) -> MemoryRegistry:
    registry = MemoryRegistry()
    registry.run(lambda tx: tx.save_template(STAFF))
    for number, each in enumerate(cards):
        told = f"{number:06}"
        named = replace(
            each,
            id=told,
            card=each.card or f"piv:guid:{told}",
            holder=f"person {told}",
            account_guid=told,
        )
        registry.run(lambda tx, named=named: tx.save_credential(named))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    return registry


def counted(registry: MemoryRegistry) -> CardsOfTemplate:
    return CardsOfTemplate(registry, "staff", ComplianceProfile())


LOSING: dict[str, tuple[Credential, Template]] = {
    "card_type": (CARD, replace(STAFF, card_type=CardType.GIDS)),
    "self_service": (CARD, replace(STAFF, self_service=False)),
    "unblock": (CARD, replace(STAFF, unblock=(UnblockMethod.ADMIN_KEY_ONLINE,))),
    "key_algorithm": (CARD, replace(STAFF, key_algorithm="P-384")),
    "keyless": (
        replace(CARD, authentication_key=None),
        replace(STAFF, keyless=Keyless.OFF),
    ),
    "pin_policy.update_ad_password": (
        CARD,
        replace(STAFF, pin_policy=PinPolicy(update_ad_password=False)),
    ),
    "pin_policy.expiry_days": (
        CARD,
        replace(STAFF, pin_policy=PinPolicy(expiry_days=30)),
    ),
}
"""A card that loses something by one field, and the template by which it does."""


def test_every_field_that_is_counted_has_its_case() -> None:
    assert set(LOSING) == COUNTED_FIELDS


@pytest.mark.parametrize("field", LOSING)
def test_a_field_costs_cards_something(field: str) -> None:
    card, draft = LOSING[field]
    registry = registry_of(card, replace(card, state=State.RETIRED))
    told = counted(registry).meaning(draft, NOW)
    assert told.is_whole
    assert told.in_use == 1, "a retired card loses nothing"
    assert told.loses == {field: 1}
    assert counted(registry).meaning(STAFF, NOW).loses == {}


def test_a_pin_that_is_young_enough_need_not_be_changed() -> None:
    young = replace(CARD, pin_changed_at=NOW - 29 * DAY)
    draft = replace(STAFF, pin_policy=PinPolicy(expiry_days=30))
    assert counted(registry_of(young, CARD)).meaning(draft, NOW).loses == {
        "pin_policy.expiry_days": 1
    }


def test_a_card_loses_only_what_its_own_version_let_it() -> None:
    registry = registry_of(CARD)
    without = replace(STAFF, version=1, self_service=False)
    registry.run(lambda tx: tx.save_template(without))
    later = replace(CARD, template_version=2, id="x", card="piv:guid:x")
    registry.run(lambda tx: tx.save_credential(later))
    told = counted(registry).meaning(without, NOW)
    assert told.versions == {1: 1, 2: 1}
    assert told.loses == {"self_service": 1}


def test_cards_are_looked_at_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_meaning, "PART", 3)
    cards = counted(registry_of(*[CARD] * 7))
    draft = replace(STAFF, self_service=False)
    told = [cards.meaning(draft, NOW) for _ in range(3)]
    assert [each.in_use for each in told] == [3, 6, 7]
    assert [each.is_whole for each in told] == [False, False, True]
    again = cards.meaning(draft, NOW)
    assert again.in_use == 7, "the last round is told while the next one goes on"


def test_another_change_is_answered_without_looking_again() -> None:
    registry = registry_of(*[CARD] * 5)
    cards = counted(registry)
    cards.meaning(STAFF, NOW)
    told = cards.meaning(replace(STAFF, self_service=False), NOW)
    assert told.loses == {"self_service": 5}


# --- at the desk --------------------------------------------------------------


def signed_in(name: str) -> Office:
    office = Office()
    office.sign_in(name)
    return office


def field_of(page: Page, name: str) -> PageField:
    return next(each for each in page.fields if each.name == name)


def edited(page: Page, **changes: str) -> Look:
    """What is in the fields while somebody edits."""
    texts = {each.name: each.value for each in page.fields}
    texts |= {name.replace("__", "."): told for name, told in changes.items()}
    return Look(typed=tuple(texts.items()), beside=page.compared)


def test_what_a_change_means_stands_beside_its_field_while_it_is_typed() -> None:
    office = signed_in("ada")
    office.person("alice")
    office.holder("alice")
    office.choose("templates")
    office.choose("staff")
    assert field_of(office.page, "self_service").effect is None
    page = office.desk.look(edited(office.page, self_service="no"))
    told = field_of(page, "self_service").effect
    assert told == Message("desk.loses.self_service", {"count": 1, "using": 1})
    page = office.desk.look(edited(page, pin_policy__minimum="x"))
    wrong = field_of(page, "pin_policy.minimum").effect
    assert wrong is not None
    assert wrong.key == "template.not_a_number"
    page = office.desk.look(edited(page, pin_policy__minimum="9"))
    warned = [line.text for line in page.lines if isinstance(line.text, Message)]
    assert "template.impossible.length" in [each.key for each in warned]


def test_a_template_is_compared_with_any_earlier_version() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    office.change({"pin_policy.history": "5"})
    office.change({"pin_policy.history": "5"})
    assert office.notice == "desk.template_saved"
    office.choose("staff")
    assert [key for key, _ in office.page.beside] == ["2", "1"]
    assert field_of(office.page, "pin_policy.history").compared == "5"
    look = dataclasses.replace(edited(office.page), beside="1")
    page = office.desk.look(look)
    assert page.compared == "1"
    assert field_of(page, "pin_policy.history").compared == "0"
    assert field_of(page, "pin_policy.history").before == "5", "for undoing it"


def test_what_was_changed_outlives_signing_out_and_is_nobody_elses() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    office.desk.look(edited(office.page, self_service="no"))
    office.desk.sign_out()
    office.sign_in("ada")
    office.choose("templates")
    office.choose("staff")
    assert field_of(office.page, "self_service").value == "no"
    office.back()
    office.choose("staff")
    assert field_of(office.page, "self_service").value == "yes", "it was given up"


def test_what_another_administrator_changes_is_theirs_alone() -> None:
    office = signed_in("ada")
    office.person("abel", OperatorRole.ADMINISTRATOR)
    office.choose("templates")
    office.choose("staff")
    office.desk.look(edited(office.page, self_service="no"))
    office.desk.sign_out()
    office.sign_in("abel")
    office.choose("templates")
    office.choose("staff")
    assert field_of(office.page, "self_service").value == "yes"


def test_only_administrators_are_told() -> None:
    office = office_at(Site().desk(OperatorRole.HELPDESK))
    with pytest.raises(NotInRole):
        office.template_meaning(STAFF)
