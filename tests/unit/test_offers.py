"""Which screens open: each state and counter, with the reason for every no."""

from __future__ import annotations

import pytest

from statemachine.course import course
from statemachine.guards import Actor, Facts, Refusal
from statemachine.lifecycle import Event, Lifecycle, Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind

OPEN = ""


def judged(
    state: State,
    *,
    tries: int | None = 3,
    method: bool = True,
    out_of_step: bool = False,
    interrupted: bool = False,
) -> dict[Kind, str]:
    facts = Facts(tries_left=tries, has_unblock_method=method)
    found = offers(
        Standing(state),
        facts,
        out_of_step=out_of_step,
        activation_interrupted=interrupted,
        lifecycle=Lifecycle(),
    )
    return {
        each.kind: each.refusal.code.removeprefix("refusal.") if each.refusal else OPEN
        for each in found
    }


def answers(activate: str, finish: str, change: str, unblock: str) -> dict[Kind, str]:
    return {
        Kind.ACTIVATE: activate,
        Kind.FINISH: finish,
        Kind.CHANGE: change,
        Kind.UNBLOCK: unblock,
    }


def test_a_new_card_can_only_be_activated() -> None:
    no = "not_activated"
    assert judged(State.ISSUED) == answers(OPEN, no, no, no)


def test_an_active_card_can_be_changed_or_unblocked() -> None:
    assert judged(State.ACTIVE) == answers("already_activated", "in_step", OPEN, OPEN)


def test_an_active_card_out_of_step_can_be_finished() -> None:
    assert judged(State.ACTIVE, out_of_step=True)[Kind.FINISH] == OPEN


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.FINISH])
def test_the_last_try_is_not_spent(kind: Kind) -> None:
    found = judged(State.ACTIVE, tries=1, out_of_step=True)
    assert found[kind] == "one_try_left"
    assert found[Kind.UNBLOCK] == OPEN


def test_the_last_try_of_a_new_card_is_not_spent() -> None:
    assert judged(State.ISSUED, tries=1)[Kind.ACTIVATE] == "first_pin_one_try"


def test_a_used_up_counter_leaves_only_unblock() -> None:
    found = judged(State.ACTIVE, tries=0, out_of_step=True)
    assert found == answers("already_activated", "pin_blocked", "pin_blocked", OPEN)


def test_a_blocked_card_leaves_only_unblock() -> None:
    found = judged(State.BLOCKED, tries=0, out_of_step=True)
    assert found == answers("already_activated", "pin_blocked", "pin_blocked", OPEN)


def test_a_card_blocked_before_its_first_pin_can_be_unblocked() -> None:
    assert judged(State.ISSUED, tries=0)[Kind.UNBLOCK] == OPEN


def test_without_a_way_nothing_is_unblocked() -> None:
    assert (
        judged(State.BLOCKED, tries=0, method=False)[Kind.UNBLOCK] == "no_unblock_way"
    )


def test_an_interrupted_activation_completes_whatever_the_counter_says() -> None:
    assert judged(State.ISSUED, tries=1, interrupted=True)[Kind.ACTIVATE] == OPEN


@pytest.mark.parametrize("state", [State.SUSPENDED, State.REVOKED, State.RETIRED])
def test_a_held_card_refuses_everything_by_name(state: State) -> None:
    assert set(judged(state, out_of_step=True).values()) == {state.value}


def test_a_counter_that_is_not_known_stops_nothing() -> None:
    assert judged(State.ACTIVE, tries=None)[Kind.CHANGE] == OPEN


def removed(
    state: State, *edges: tuple[Event, State], tries: int | None = 3
) -> dict[Kind, Refusal | None]:
    found = offers(
        Standing(state),
        Facts(tries_left=tries),
        out_of_step=False,
        activation_interrupted=False,
        lifecycle=Lifecycle(removed=edges),
    )
    return {each.kind: each.refusal for each in found}


def test_an_edge_that_the_site_removed_closes_its_screen_and_says_so() -> None:
    not_here = Refusal("refusal.not_at_this_site", Actor.ADMINISTRATOR)
    activation = (Event.ACTIVATE, State.ISSUED)
    forgotten = (Event.UNBLOCK, State.ACTIVE)
    assert removed(State.ISSUED, activation)[Kind.ACTIVATE] == not_here
    assert removed(State.ACTIVE, forgotten)[Kind.UNBLOCK] == not_here
    assert removed(State.ACTIVE, forgotten)[Kind.CHANGE] is None
    assert removed(State.BLOCKED, forgotten)[Kind.UNBLOCK] is None


def test_without_pin_forgotten_a_card_that_is_really_blocked_is_still_unblocked() -> (
    None
):
    forgotten = (Event.UNBLOCK, State.ACTIVE)
    assert removed(State.ACTIVE, forgotten, tries=0)[Kind.UNBLOCK] is None


def test_a_site_without_unblock_offers_none_to_a_used_up_counter() -> None:
    edges = ((Event.UNBLOCK, State.ACTIVE), (Event.UNBLOCK, State.BLOCKED))
    for state in (State.ISSUED, State.ACTIVE, State.BLOCKED):
        refusal = removed(state, *edges, tries=0)[Kind.UNBLOCK]
        assert refusal is not None
        assert refusal.code == "refusal.not_at_this_site"


@pytest.mark.parametrize(
    ("state", "tries", "expected"),
    [
        (State.ISSUED, 0, (Event.PIN_BLOCKED, Event.UNBLOCK)),
        (State.ACTIVE, 0, (Event.UNBLOCK,)),
        (State.BLOCKED, 0, (Event.UNBLOCK,)),
        (State.ACTIVE, None, (Event.UNBLOCK,)),
    ],
)
def test_a_card_that_cannot_prove_its_block_first_is_blocked_and_unblocked_at_once(
    state: State, tries: int | None, expected: tuple[Event, ...]
) -> None:
    facts = Facts(tries_left=tries)
    assert course(Lifecycle(), Standing(state), Event.UNBLOCK, facts) == expected


@pytest.mark.parametrize(
    ("state", "tries", "code"),
    [
        (State.ISSUED, None, "refusal.issued"),
        (State.ISSUED, 2, "refusal.issued"),
        (State.SUSPENDED, 0, "refusal.suspended"),
        (State.REVOKED, 0, "refusal.revoked"),
        (State.RETIRED, 0, "refusal.retired"),
    ],
)
def test_no_other_card_takes_that_course(
    state: State, tries: int | None, code: str
) -> None:
    facts = Facts(tries_left=tries)
    refusal = course(Lifecycle(), Standing(state), Event.UNBLOCK, facts)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_used_up_counter_is_a_course_for_unblock_alone() -> None:
    facts = Facts(tries_left=0)
    refusal = course(Lifecycle(), Standing(State.ACTIVE), Event.ACTIVATE, facts)
    assert isinstance(refusal, Refusal)


def test_without_a_way_to_unblock_no_course_begins() -> None:
    facts = Facts(tries_left=0, has_unblock_method=False)
    found = course(Lifecycle(), Standing(State.ISSUED), Event.UNBLOCK, facts)
    assert found == Refusal("refusal.no_unblock_way", Actor.OFFICER)


_HELPS = {
    "already_activated": Actor.HOLDER,
    "first_pin_one_try": Actor.OFFICER,
    "not_activated": Actor.HOLDER,
    "pin_blocked": Actor.HOLDER,
    "suspended": Actor.HELPDESK,
    "revoked": Actor.OFFICER,
    "retired": Actor.OFFICER,
}
"""Who is named beside each reason why a card offers less than it might."""


def test_every_no_names_who_can_help() -> None:
    found = {
        offer.refusal.code.removeprefix("refusal."): offer.refusal.who_can_help
        for state in State
        for tries in (0, 1, 3)
        for offer in offers(
            Standing(state),
            Facts(tries_left=tries, has_unblock_method=True),
            out_of_step=False,
            activation_interrupted=False,
            lifecycle=Lifecycle(),
        )
        if offer.refusal is not None
    }
    assert _HELPS.items() <= found.items()
    assert None not in found.values()
