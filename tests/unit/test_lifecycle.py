"""The credential's lifecycle, every state × every event, as SPEC has it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.engine import Engine
from statemachine.guards import Actor, Facts, Refusal
from statemachine.lifecycle import (
    TABLE,
    Event,
    Lifecycle,
    Standing,
    State,
    UnknownEdge,
    settle,
)

I, A, B, S, R, T = (  # noqa: E741 - one letter a state keeps the table readable
    State.ISSUED,
    State.ACTIVE,
    State.BLOCKED,
    State.SUSPENDED,
    State.REVOKED,
    State.RETIRED,
)
EXPECTED: dict[State, dict[Event, State]] = {
    I: {
        Event.ACTIVATE: A,
        Event.PIN_BLOCKED: B,
        Event.SUSPEND: S,
        Event.REVOKE: R,
        Event.RETIRE: T,
    },
    A: {
        Event.PIN_BLOCKED: B,
        Event.UNBLOCK: A,
        Event.SUSPEND: S,
        Event.REVOKE: R,
        Event.RETIRE: T,
    },
    B: {
        Event.UNBLOCK: A,
        Event.FOUND_UNBLOCKED: A,
        Event.SUSPEND: S,
        Event.REVOKE: R,
        Event.RETIRE: T,
    },
    S: {Event.RESUME: A, Event.REVOKE: R, Event.RETIRE: T},
    R: {Event.RETIRE: T},
    T: {Event.ISSUE: I},
}
"""A suspended card came from `active` here; the other origins have their own test."""

lifecycle = Lifecycle()


def standing(state: State) -> Standing:
    return Standing(state, origin=A if state is S else None)


@pytest.mark.parametrize(("state", "event"), itertools.product(State, Event))
def test_every_state_and_event(state: State, event: Event) -> None:
    outcome = lifecycle.apply(standing(state), event, Facts())
    expected = EXPECTED[state].get(event)
    if expected is None:
        assert isinstance(outcome, Refusal)
        assert outcome.code == f"refusal.{state}"
    else:
        assert isinstance(outcome, Standing)
        assert outcome.state is expected


@pytest.mark.parametrize("event", Event)
def test_a_new_card_can_only_be_issued(event: Event) -> None:
    outcome = lifecycle.apply(None, event, Facts())
    if event is Event.ISSUE:
        assert outcome == Standing(I)
    else:
        assert outcome == Refusal("refusal.unknown", Actor.OFFICER)


@pytest.mark.parametrize("origin", [I, A, B])
def test_a_suspended_card_returns_to_where_it_came_from(origin: State) -> None:
    suspended = lifecycle.apply(Standing(origin), Event.SUSPEND, Facts())
    assert suspended == Standing(S, origin=origin)
    assert lifecycle.apply(suspended, Event.RESUME, Facts()) == Standing(origin)


def test_a_change_under_way_updates_the_state_of_origin() -> None:
    assert settle(Standing(S, I), Event.ACTIVATE) == Standing(S, origin=A)
    for origin in (I, A, B):
        assert settle(Standing(S, origin), Event.UNBLOCK) == Standing(S, origin=A)
    no_edge = Refusal("refusal.suspended", Actor.HELPDESK)
    assert settle(Standing(S, A), Event.ACTIVATE) == no_edge
    not_held = Refusal("refusal.not_suspended", Actor.HELPDESK)
    assert settle(Standing(A), Event.UNBLOCK) == not_held


def test_a_site_can_remove_an_edge() -> None:
    narrowed = Lifecycle(removed={(Event.UNBLOCK, A)})
    refusal = Refusal("refusal.not_at_this_site", Actor.ADMINISTRATOR)
    assert narrowed.apply(Standing(A), Event.UNBLOCK, Facts()) == refusal
    assert (Event.UNBLOCK, A) not in {(e.event, e.source) for e in narrowed.edges()}
    assert narrowed.apply(Standing(B), Event.UNBLOCK, Facts()) == Standing(A)


def test_a_site_cannot_add_an_edge() -> None:
    with pytest.raises(UnknownEdge, match="no edge activate from revoked") as error:
        Lifecycle(removed={(Event.ACTIVATE, R)})
    assert (error.value.event, error.value.source) == ("activate", "revoked")


@pytest.mark.parametrize(
    "edge", [e for e in TABLE if e.actor in (Actor.HELPDESK, Actor.OFFICER)]
)
def test_nobody_handles_their_own_card(edge: object) -> None:
    assert lifecycle.why_not(
        None if edge.source is None else standing(edge.source),  # type: ignore[attr-defined]  # an Edge
        edge.event,  # type: ignore[attr-defined]  # an Edge
        Facts(own_card=True),
    ) == Refusal("refusal.own_card", Actor.HELPDESK)


def test_an_unblock_needs_a_way() -> None:
    refusal = lifecycle.why_not(
        Standing(B), Event.UNBLOCK, Facts(has_unblock_method=False)
    )
    assert refusal == Refusal("refusal.no_unblock_way", Actor.OFFICER)


def test_what_is_allowed_is_what_can_be_applied() -> None:
    for state in State:
        allowed = lifecycle.allowed(standing(state), Facts())
        assert set(allowed) == set(EXPECTED[state])


def test_every_edge_has_a_sentence() -> None:
    assert all(edge.sentence.endswith(".") for edge in TABLE)
    assert len({(edge.event, edge.source) for edge in TABLE}) == len(TABLE)


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_no_sequence_leaves_the_end_but_by_issue(events: list[Event]) -> None:
    now = Standing(I)
    for event in events:
        after = lifecycle.apply(now, event, Facts())
        if isinstance(after, Refusal):
            continue
        if now.state is T:
            assert event is Event.ISSUE
        if now.state is R:
            assert after.state is T
        assert (after.state is S) == (after.origin is not None)
        now = after


def test_the_engine_knows_no_trigger_but_the_tables() -> None:
    engine = Engine(State, [(Event.RETIRE, A, T)])
    assert engine.targets(Event.RETIRE, A) == (T.name,)
    assert engine.targets(Event.RETIRE, B) == ()
    assert set(engine._machine.events) == {Event.RETIRE}
    assert engine._machine.models == []


def test_the_engine_leads_where_just_that_trigger_leads_however_often_it_is_asked() -> (
    None
):
    engine = Engine(State, [(Event.RETIRE, A, T), (Event.REVOKE, A, R)])
    for _ in range(2):
        assert engine.targets(Event.RETIRE, A) == (T.name,)
        assert engine.targets(Event.REVOKE, A) == (R.name,)
        assert engine.targets(Event.SUSPEND, A) == ()


def test_the_package_imported_is_ours() -> None:
    import statemachine

    assert "What may happen" in (statemachine.__doc__ or "")
    assert not hasattr(statemachine, "StateMachine")
