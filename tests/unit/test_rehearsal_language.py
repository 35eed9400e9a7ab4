"""The language of scenarios: everything in it is documented, and nothing else is."""

from __future__ import annotations

import re
import typing
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from kiosk.cards.values import Family
from kiosk.simulation.cards.faults import AnyCardFault
from kiosk.simulation.domain_faults import AnyFault
from kiosk.simulation.rehearsal import given, steps
from kiosk.simulation.rehearsal.given import GivenCard, Make
from kiosk.simulation.rehearsal.scenario import Scenario, read, shipped
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime

PAGE = Path(__file__).parents[2] / "docs/rehearsals.md"
PROSE = re.sub(r"```.*?```", "", PAGE.read_text("utf-8"), flags=re.DOTALL)
DOCUMENTED = {
    word
    for code in re.findall(r"`([^`]+)`", PROSE)
    for word in re.findall(r"[a-z_0-9]+", code)
}
_GIVEN = (
    Scenario,
    given.GivenPolicy,
    given.GivenProfile,
    given.GivenDesk,
    given.GivenAccount,
    given.GivenCard,
)


def fields(part: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(part)}


def tags(union: object) -> set[str]:
    return {str(member.__struct_config__.tag) for member in typing.get_args(union)}


@pytest.mark.parametrize("part", _GIVEN, ids=lambda part: part.__name__)
def test_everything_that_can_be_given_is_documented(part: type[msgspec.Struct]) -> None:
    assert fields(part) - DOCUMENTED == set()


@pytest.mark.parametrize(
    "step", typing.get_args(steps.Step), ids=lambda it: it.__name__
)
def test_every_step_and_its_fields_are_documented(step: type[msgspec.Struct]) -> None:
    assert {str(step.__struct_config__.tag)} | fields(step) <= DOCUMENTED


@pytest.mark.parametrize(
    "step", typing.get_args(steps.Step), ids=lambda it: it.__name__
)
def test_every_step_plays_and_tells_itself(step: type[steps.ScenarioStep]) -> None:
    assert {"play", "told"} <= vars(step).keys()


@pytest.mark.parametrize("faults", [AnyCardFault, AnyFault], ids=["card", "directory"])
def test_every_fault_is_documented(faults: object) -> None:
    assert tags(faults) - DOCUMENTED == set()


@pytest.mark.parametrize("enum", [Make])
def test_every_make_of_card_is_documented(enum: type[StrEnum]) -> None:
    assert {str(each) for each in enum} <= DOCUMENTED


def test_every_make_of_card_is_rehearsed() -> None:
    rehearsed = {card.make for path in shipped() for card in read(path).cards}
    assert rehearsed == set(Make)


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (Make.PIV, Family.PIV),
        (Make.YUBIKEY, Family.PIV),
        (Make.GIDS, Family.GIDS),
        (Make.IDPRIME, Family.PKCS11),
    ],
)
def test_a_card_is_of_the_family_its_make_says(make: Make, family: Family) -> None:
    card = GivenCard(name="alice", pin="271828", make=make)
    runtime = ScenarioRuntime(Scenario(title="", story="", steps=(), cards=(card,)))
    assert runtime.made("alice").identity.family is family
