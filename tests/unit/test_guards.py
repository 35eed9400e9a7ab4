"""Guards: each says no to one thing, names itself and who can help."""

from __future__ import annotations

import pytest

from kiosk.texts import text
from statemachine.guards import (
    Actor,
    Facts,
    Guard,
    Refusal,
    can_be_unblocked,
    first_refusal,
    more_than_one_try,
    not_own_card,
    pin_not_blocked,
)

NO: list[tuple[Guard, Facts, Refusal]] = [
    (not_own_card, Facts(own_card=True), Refusal("refusal.own_card", Actor.HELPDESK)),
    (
        pin_not_blocked,
        Facts(tries_left=0),
        Refusal("refusal.pin_blocked", Actor.HOLDER),
    ),
    (
        more_than_one_try,
        Facts(tries_left=1),
        Refusal("refusal.one_try_left", Actor.HOLDER),
    ),
    (
        can_be_unblocked,
        Facts(has_unblock_method=False),
        Refusal("refusal.no_unblock_way", Actor.OFFICER),
    ),
]
GUARDS = [guard for guard, _, _ in NO]


@pytest.mark.parametrize(("guard", "facts", "refusal"), NO)
def test_a_guard_says_no_by_name(guard: Guard, facts: Facts, refusal: Refusal) -> None:
    assert guard(facts) == refusal
    assert text(refusal.code)


@pytest.mark.parametrize("guard", GUARDS)
def test_what_nobody_said_stops_nothing(guard: Guard) -> None:
    assert guard(Facts()) is None


@pytest.mark.parametrize(
    ("tries", "enough"), [(0, False), (1, False), (2, True), (None, True)]
)
def test_two_tries_are_enough_and_one_is_not(
    tries: int | None, *, enough: bool
) -> None:
    assert (more_than_one_try(Facts(tries_left=tries)) is None) is enough


@pytest.mark.parametrize(("tries", "has_one"), [(0, False), (1, True), (None, True)])
def test_only_a_used_up_counter_is_blocked(tries: int | None, *, has_one: bool) -> None:
    assert (pin_not_blocked(Facts(tries_left=tries)) is None) is has_one


def test_the_first_no_counts() -> None:
    facts = Facts(own_card=True, tries_left=0)
    found = first_refusal((more_than_one_try, not_own_card), facts)
    assert found == Refusal("refusal.one_try_left", Actor.HOLDER)
    assert first_refusal((), facts) is None


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_is_named_and_explained(guard: Guard) -> None:
    assert guard.__doc__
