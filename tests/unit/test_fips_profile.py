"""FIPS 201-3: one switch, and what it changes."""

from __future__ import annotations

import pytest

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.core.secret import Secret
from kiosk.doctor import Health
from kiosk.doctor.profile import fips_201
from kiosk.simulation.world import World
from kiosk.visit.views import ActionOffer, Answers, FieldName, Form, Home, Outcome
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import PinPolicy, Template, UnblockMethod

PIN, NEW = b"271828", b"314159"
FIPS = ComplianceProfile(fips_201=True)


class Person:
    """Somebody with a card that an unblock would help."""

    def __init__(
        self, profile: ComplianceProfile, *methods: UnblockMethod, minimum: int = 4
    ) -> None:
        self.world = World(profile=profile)
        self.world.add_template(
            Template(
                name="staff", unblock=methods, pin_policy=PinPolicy(minimum=minimum)
            )
        )
        guid = self.world.directory.add_account("alice", password=Secret(PIN))
        self.made, self.puk = self.world.make_card("alice", pin=PIN)
        self.made.card.set_tries(pin=0)
        self.world.register(
            "alice", self.made, self.puk, account_guid=guid, template="staff"
        )

    def home(self) -> tuple[Visit, Home]:
        visit = self.world.visit(self.world.readers.insert(self.made.card))
        return visit, visit.recognise()

    def unblock(self) -> ActionOffer:
        return next(
            each for each in self.home()[1].actions if each.kind is Kind.UNBLOCK
        )

    def form(self) -> tuple[Visit, Form]:
        visit, _ = self.home()
        return visit, visit.begin(Kind.UNBLOCK)


def test_an_unattended_unblock_is_refused() -> None:
    offer = Person(FIPS, UnblockMethod.HOLDER_PUK).unblock()
    assert not offer.allowed
    assert offer.reason is not None
    assert offer.reason.key == "refusal.no_unblock_way"


def test_without_the_profile_the_holders_puk_alone_is_enough() -> None:
    assert Person(ComplianceProfile(), UnblockMethod.HOLDER_PUK).unblock().allowed


def test_the_helpdesks_code_is_attended_and_stays_possible() -> None:
    _, form = Person(FIPS, UnblockMethod.HOLDER_PUK, UnblockMethod.RELEASE_CODE).form()
    assert form.fields == (FieldName.RELEASE_CODE, FieldName.NEW_PIN)


def test_with_a_second_factor_the_holder_needs_puk_and_code() -> None:
    profile = ComplianceProfile(fips_201=True, second_factor=True)
    person = Person(profile, UnblockMethod.HOLDER_PUK)
    visit, form = person.form()
    assert form.fields == (FieldName.RELEASE_CODE, FieldName.PUK, FieldName.NEW_PIN)
    typed = {
        FieldName.RELEASE_CODE: person.world.release_code("alice"),
        FieldName.PUK: person.puk.copy(),
        FieldName.NEW_PIN: Secret(NEW),
    }
    result = visit.submit(form, Answers(typed), lambda step: None)
    assert result.outcome is Outcome.DONE


def test_a_face_that_leaves_the_second_factor_out_gets_nothing() -> None:
    profile = ComplianceProfile(fips_201=True, second_factor=True)
    person = Person(profile, UnblockMethod.HOLDER_PUK)
    visit, form = person.form()
    import dataclasses

    sly = dataclasses.replace(form, fields=(FieldName.PUK, FieldName.NEW_PIN))
    typed = {FieldName.PUK: person.puk.copy(), FieldName.NEW_PIN: Secret(NEW)}
    result = visit.submit(sly, Answers(typed), lambda step: None)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "stop.code_first"
    assert not person.made.card.has_pin(NEW)


@pytest.mark.parametrize("minimum", [4, 6, 8])
def test_a_pin_has_six_digits_at_least(minimum: int) -> None:
    person = Person(FIPS, UnblockMethod.RELEASE_CODE, minimum=minimum)
    _, form = person.form()
    assert form.rules is not None
    assert form.rules.minimum == max(6, minimum)


def test_a_change_stays_possible() -> None:
    person = Person(FIPS, UnblockMethod.RELEASE_CODE)
    person.made.card.set_tries(pin=3)
    change = next(e for e in person.home()[1].actions if e.kind is Kind.CHANGE)
    assert change.allowed


def test_a_card_of_more_than_ten_tries_is_told_apart() -> None:
    person = Person(FIPS, UnblockMethod.RELEASE_CODE)
    person.made.card.set_tries(pin=11)
    assert "notice.too_many_tries" in [it.key for it in person.home()[1].notices]
    person.made.card.set_tries(pin=10)
    assert "notice.too_many_tries" not in [it.key for it in person.home()[1].notices]


# --- what the doctor says of it ----------------------------------------------


def told(
    *templates: Template, second_factor: bool = False, removed: tuple[str, ...] = ()
) -> dict[str, Health]:
    profile = ComplianceProfile(fips_201=True, second_factor=second_factor)
    findings = fips_201(profile, templates, removed)
    return {
        finding.meaning.key.removeprefix("doctor."): finding.health
        for finding in findings
    }


def template(*methods: UnblockMethod, minimum: int = 6) -> Template:
    return Template(
        name="staff", unblock=methods, pin_policy=PinPolicy(minimum=minimum)
    )


def test_the_doctor_lists_every_requirement_of_a_site_that_meets_them() -> None:
    assert told(template(UnblockMethod.RELEASE_CODE)) == {
        "fips_length": Health.OK,
        "fips_tries": Health.OK,
        "fips_change": Health.OK,
        "fips_attended": Health.OK,
    }


def test_the_doctor_names_a_template_of_shorter_pins() -> None:
    said = told(template(UnblockMethod.RELEASE_CODE, minimum=4))
    assert said["fips_short"] is Health.WARN


def test_the_doctor_names_a_template_whose_cards_nobody_could_unblock() -> None:
    said = told(template(UnblockMethod.HOLDER_PUK))
    assert said["fips_nobody_unblocks"] is Health.FAIL


def test_with_a_second_factor_the_holders_puk_is_attended() -> None:
    said = told(template(UnblockMethod.HOLDER_PUK), second_factor=True)
    assert said["fips_second_factor"] is Health.OK


def test_the_doctor_says_that_a_change_has_to_be_possible() -> None:
    said = told(template(UnblockMethod.RELEASE_CODE), removed=("change active",))
    assert said["fips_no_change"] is Health.FAIL
