"""A template is edited while a visit runs: the card keeps the version it has."""

from __future__ import annotations

import pytest

from kiosk.core.secret import Secret
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import PinPolicy, Template

PIN, NEW = b"271828", b"314159"
STRICTER = Template(
    name="staff", version=1, self_service=False, pin_policy=PinPolicy(minimum=8)
)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_template(Template(name="staff"))
    guid = world.directory.add_account("alice", password=Secret(PIN))
    made, puk = world.make_card("alice", pin=PIN)
    world.register("alice", made, puk, account_guid=guid, template="staff")
    return world


def visit(world: World) -> Visit:
    return world.visit(world.readers.insert(world.holders["alice"].made.card))


def answers() -> Answers:
    return Answers({FieldName.OLD_PIN: Secret(PIN), FieldName.NEW_PIN: Secret(NEW)})


def test_a_visit_ends_by_the_rules_it_began_with(world: World) -> None:
    there = visit(world)
    there.recognise()
    form = there.begin(Kind.CHANGE)
    world.add_template(STRICTER)
    result = there.submit(form, answers(), lambda step: None)
    assert result.outcome is Outcome.DONE
    assert world.credential("alice").template_version == 1


def test_the_next_visit_is_still_by_the_version_the_card_was_issued_with(
    world: World,
) -> None:
    world.add_template(STRICTER)
    there = visit(world)
    there.recognise()
    form = there.begin(Kind.CHANGE)
    assert form.rules is not None
    assert form.rules.minimum < 8
    assert form.password_follows
