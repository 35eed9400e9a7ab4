"""A PIN's age and the directory's, as one date."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.core.secret import Secret
from kiosk.directory.values import PasswordPolicy
from kiosk.simulation.domain import DOMAIN_POLICY
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Home, Outcome
from statemachine.lifecycle import Event
from statemachine.operation import Kind
from storage.records import PinPolicy, Sync, Template

PIN = b"271828"
DAY = 86_400.0
"""Seconds."""


class Person:
    """Somebody whose card is inserted on some day."""

    def __init__(
        self,
        *,
        expiry_days: int = 0,
        policy: PasswordPolicy = DOMAIN_POLICY,
        sync: Sync = Sync.IN_STEP,
        **other: Any,
    ) -> None:
        """`other`: of the template's PIN policy."""
        self.world = World(policy=policy)
        pin_policy = PinPolicy(expiry_days=expiry_days, **other)
        self.world.add_template(Template(name="staff", pin_policy=pin_policy))
        guid = self.world.directory.add_account("alice", password=Secret(PIN))
        self.made, puk = self.world.make_card("alice", pin=PIN)
        self.world.register(
            "alice", self.made, puk, account_guid=guid, template="staff", sync=sync
        )

    def home(self, after_days: float) -> Home:
        self.world.clock.sleep(after_days * DAY)
        self.visit = self.world.visit(self.world.readers.insert(self.made.card))
        return self.visit.recognise()


def notices(home: Home) -> dict[str, object]:
    return {notice.key: notice.data.get("days") for notice in home.notices}


def recommended(home: Home) -> Kind | None:
    return next((each.kind for each in home.actions if each.recommended), None)


def test_without_an_age_a_pin_never_expires() -> None:
    assert notices(Person().home(5000)) == {}


def test_the_holder_is_reminded_from_the_first_reminder_day_on() -> None:
    person = Person(expiry_days=90)
    assert notices(person.home(75.5)) == {}
    assert notices(person.home(1)) == {"notice.pin_expires": 14}
    assert notices(person.home(13)) == {"notice.pin_expires": 1}


def test_an_expired_pin_is_to_be_changed_now() -> None:
    home = Person(expiry_days=90).home(90)
    assert "notice.pin_expired" in notices(home)
    assert home.headline.key == "home.headline.expired"
    assert recommended(home) is Kind.CHANGE


def test_an_expired_pin_cannot_become_the_password_by_a_finish() -> None:
    home = Person(expiry_days=90, sync=Sync.OUT_OF_STEP).home(91)
    finish = next(each for each in home.actions if each.kind is Kind.FINISH)
    assert not finish.allowed
    assert finish.reason is not None
    assert finish.reason.key == "stop.pin_expired"
    assert recommended(home) is Kind.CHANGE


def test_the_directorys_age_counts_where_the_password_follows() -> None:
    policy = replace_policy(maximum_age=42 * DAY)
    assert notices(Person(policy=policy).home(40)) == {"notice.pin_expires": 2}


def test_the_earlier_date_counts() -> None:
    policy = replace_policy(maximum_age=42 * DAY)
    assert notices(Person(expiry_days=30, policy=policy).home(29)) == {
        "notice.pin_expires": 1
    }


def test_an_account_whose_password_never_expires_has_only_the_pins_age() -> None:
    person = Person(policy=replace_policy(maximum_age=42 * DAY))
    guid = person.world.holders["alice"].account_guid
    person.world.directory.change_account(guid, password_never_expires=True)
    assert notices(person.home(100)) == {}


def test_where_the_password_does_not_follow_its_age_is_nobodys_here() -> None:
    policy = replace_policy(maximum_age=42 * DAY)
    person = Person(policy=policy, sync=Sync.NOT_SYNCHRONISED, update_ad_password=False)
    assert "notice.pin_expires" not in notices(person.home(40))
    assert "notice.pin_expired" not in notices(person.home(10))


def test_nor_where_the_account_is_none_that_is_written() -> None:
    person = Person(policy=replace_policy(maximum_age=42 * DAY))
    guid = person.world.holders["alice"].account_guid
    person.world.directory.change_account(guid, privileged=True)
    assert "notice.pin_expires" not in notices(person.home(41))


def test_who_wants_no_reminder_is_told_at_the_end() -> None:
    person = Person(expiry_days=90, reminder_days=())
    assert notices(person.home(89)) == {}
    assert notices(person.home(1)) == {"notice.pin_expired": None}


@pytest.mark.parametrize(("after", "left"), [(80.0, 10), (80.01, 10), (79.99, 11)])
def test_a_day_that_has_begun_is_a_day(after: float, left: int) -> None:
    person = Person(expiry_days=90)
    assert notices(person.home(after)) == {"notice.pin_expires": left}


def test_a_change_begins_a_new_age() -> None:
    person = Person(expiry_days=90)
    person.home(91)
    form = person.visit.begin(Kind.CHANGE)
    typed = {FieldName.OLD_PIN: Secret(PIN), FieldName.NEW_PIN: Secret(b"314159")}
    result = person.visit.submit(form, Answers(typed), lambda step: None)
    assert result.outcome is Outcome.DONE
    assert notices(person.home(1)) == {}


def replace_policy(**changes: float) -> PasswordPolicy:
    import dataclasses

    return dataclasses.replace(DOMAIN_POLICY, **changes)  # type: ignore[arg-type]  # fields of PasswordPolicy


def test_a_card_that_is_held_is_not_told_to_be_changed() -> None:
    person = Person(expiry_days=90)
    person.world.operate("alice", Event.SUSPEND)
    assert notices(person.home(90)) == {}
