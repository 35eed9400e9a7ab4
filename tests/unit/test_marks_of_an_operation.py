"""What the marks of an operation say of card and write, for every phase and route."""

from __future__ import annotations

import itertools
from dataclasses import replace as remade

import pytest
from lab.histories import STORIES, History
from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.operation.transitions import (
    card_is_final,
    card_is_known_changed,
    card_may_have_changed,
    happen,
    is_writing,
    route_taken,
)
from kiosk.core.errors import Message
from kiosk.simulation.world import World
from statemachine.guards import Facts
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind, Phase, Route
from storage.records import Credential, Operation
from storage.registry import Tx

DEADLINE = 30.0
MAY = {Phase.CARD_CHANGING, Phase.CARD_CHANGED, Phase.WRITING, Phase.ROLLING_BACK}
KNOWN = {Phase.CARD_CHANGED, Phase.WRITING}


def operation(
    kind: Kind = Kind.CHANGE,
    phase: Phase = Phase.PREPARED,
    route: Route | None = Route.OLD_PIN,
    *,
    follows: bool = True,
    until: float | None = None,
) -> Operation:
    return Operation(
        id="o",
        event="0000-0001",
        kind=kind,
        credential="c",
        account_guid="g",
        station="lobby",
        phase=phase,
        password_follows=follows,
        route=route,
        writing_until=until,
    )


@pytest.mark.parametrize(("kind", "route"), itertools.product(Kind, Route))
def test_the_route_on_record_is_gone_whatever_it_would_be_now(
    kind: Kind, route: Route
) -> None:
    assert route_taken(operation(kind, route=route)) is route


@pytest.mark.parametrize(
    ("kind", "follows", "route"),
    [
        (Kind.CHANGE, True, Route.OLD_PIN),
        (Kind.ACTIVATE, True, Route.OLD_PIN),
        (Kind.UNBLOCK, True, Route.RESET),
        (Kind.FINISH, True, Route.FINISH),
        (Kind.CHANGE, False, Route.CARD_ALONE),
        (Kind.UNBLOCK, False, Route.CARD_ALONE),
    ],
)
def test_of_an_older_registry_it_follows_from_the_rest(
    kind: Kind, follows: bool, route: Route
) -> None:
    assert route_taken(operation(kind, route=None, follows=follows)) is route


@pytest.mark.parametrize(("phase", "route"), itertools.product(Phase, Route))
def test_whether_the_card_may_have_changed_and_whether_that_is_known(
    phase: Phase, route: Route
) -> None:
    """A finish leaves the card alone; a reset comes before what authorises it."""
    is_after_a_reset = route is Route.RESET and phase is Phase.AUTHORISED
    it = operation(Kind.UNBLOCK, phase, route)
    assert card_may_have_changed(it) is (phase in MAY or is_after_a_reset)
    assert card_is_known_changed(it) is (phase in KNOWN or is_after_a_reset)
    finish = operation(Kind.FINISH, phase, Route.FINISH)
    assert not card_may_have_changed(finish)
    assert not card_is_known_changed(finish)


@pytest.mark.parametrize(
    ("left", "waits"), [(DEADLINE, True), (0.5, True), (0.0, False), (-1.0, False)]
)
def test_an_answer_is_waited_for_until_its_deadline(left: float, waits: bool) -> None:
    world = World()
    until = world.clock.now() + left
    assert is_writing(world.parts, operation(phase=Phase.WRITING, until=until)) is waits


def test_nothing_is_waited_for_where_nothing_was_sent() -> None:
    world = World()
    until = world.clock.now() + DEADLINE
    assert not is_writing(world.parts, operation(phase=Phase.WRITING))
    for phase in set(Phase) - {Phase.WRITING}:
        assert not is_writing(world.parts, operation(phase=phase, until=until))


@pytest.mark.parametrize(
    ("seconds", "waits"), [(0.0, True), (29.5, True), (30.0, False)]
)
def test_a_wall_clock_that_is_set_back_is_waited_for_no_longer(
    seconds: float, waits: bool
) -> None:
    world = World()
    parts = remade(world.parts, write_deadline=DEADLINE)
    it = operation(phase=Phase.WRITING, until=world.clock.now() + DEADLINE)
    assert is_writing(parts, it)
    world.clock.sleep(seconds)
    world.clock.set_wall(-3600.0)  # type: ignore[attr-defined]  # a manual clock
    assert is_writing(parts, it) is waits


def test_an_event_that_has_no_edge_changes_nothing_and_is_nowhere() -> None:
    history = History(STORIES[0])
    parts, registry = history.world.parts, history.world.registry
    before = history.world.credential("alice"), list(registry.audit_events())

    def resume(tx: Tx) -> None:
        happen(
            tx,
            parts,
            tx.credential(history.holder.credential),
            Event.RESUME,
            facts=Facts(),
            actor="hanna@ad.test",
            station="desk-1",
        )

    with pytest.raises(Refused) as refused:
        registry.run(resume)
    assert refused.value.reason == Message("refusal.active")
    after = history.world.credential("alice"), list(registry.audit_events())
    assert after == before


def test_a_hold_remembers_where_the_card_stood_and_lifting_it_leads_there() -> None:
    history = History(STORIES[0])

    def let(event: Event) -> Credential:
        return history.world.registry.run(
            lambda tx: happen(
                tx,
                history.world.parts,
                tx.credential(history.holder.credential),
                event,
                facts=Facts(),
                actor="hanna@ad.test",
                station="desk-1",
                operation="o",
                evidence={"reason": "lost"},
            )
        )

    held = let(Event.SUSPEND)
    assert (held.state, held.suspended_from) == (State.SUSPENDED, State.ACTIVE)
    back = let(Event.RESUME)
    assert (back.state, back.suspended_from) == (State.ACTIVE, None)
    told = list(history.world.registry.audit_events())[-2:]
    assert [event.data for event in told] == [
        {"from": "active", "to": "suspended", "reason": "lost"},
        {"from": "suspended", "to": "active", "reason": "lost"},
    ]
    assert {(e.actor, e.station, e.operation) for e in told} == {
        ("hanna@ad.test", "desk-1", "o")
    }


@pytest.mark.parametrize(
    ("kind", "stood", "stands", "told"),
    [
        (Kind.ACTIVATE, State.ISSUED, State.ACTIVE, ["lifecycle.activate"]),
        (Kind.UNBLOCK, State.BLOCKED, State.ACTIVE, ["lifecycle.unblock"]),
        (Kind.ACTIVATE, State.ACTIVE, State.ACTIVE, []),
        (Kind.CHANGE, State.ACTIVE, State.ACTIVE, []),
    ],
)
def test_what_ends_while_the_card_is_held_counts_when_it_is_let_go(
    kind: Kind, stood: State, stands: State, told: list[str]
) -> None:
    history = History(STORIES[0])
    held = replace(
        history.world.credential("alice"),
        state=State.SUSPENDED,
        suspended_from=stood,
        activation_interrupted=True,
    )
    before = len(list(history.world.registry.audit_events()))
    history.world.clock.sleep(5.0)

    def end(tx: Tx) -> Credential:
        it = operation(kind, Phase.CARD_CHANGED, Route.CARD_ALONE)
        saved = tx.save_credential(held)
        return card_is_final(tx, history.world.parts, saved, it)

    after = history.world.registry.run(end)
    assert (after.state, after.suspended_from) == (State.SUSPENDED, stands)
    assert after.pin_changed_at == history.world.clock.now()
    assert not after.activation_interrupted
    events = list(history.world.registry.audit_events())[before:]
    assert [event.kind for event in events] == told
