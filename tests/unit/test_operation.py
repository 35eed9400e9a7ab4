"""The operation's machine: every phase × phase × kind."""

from __future__ import annotations

import itertools

import pytest

from statemachine.guards import Refusal
from statemachine.operation import (
    TABLE,
    Kind,
    Phase,
    Route,
    advance,
    is_final,
    route_of,
)

OLD, R, F, A = Route.OLD_PIN, Route.RESET, Route.FINISH, Route.CARD_ALONE
P = Phase
EXPECTED: dict[tuple[Phase, Phase], set[Route]] = {
    (P.PREPARED, P.AUTHORISED): {OLD, F},
    (P.PREPARED, P.CARD_CHANGING): {R, A},
    (P.PREPARED, P.REFUSED): {OLD, R, F, A},
    (P.PREPARED, P.OUT_OF_STEP): {F},
    (P.AUTHORISED, P.CARD_CHANGING): {OLD},
    (P.AUTHORISED, P.WRITING): {R, F},
    (P.AUTHORISED, P.REFUSED): {OLD, F},
    (P.AUTHORISED, P.OUT_OF_STEP): {R},
    (P.CARD_CHANGING, P.CARD_CHANGED): {OLD, R, A},
    (P.CARD_CHANGING, P.REFUSED): {OLD, R, A},
    (P.CARD_CHANGING, P.OUT_OF_STEP): {OLD, R, A},
    (P.CARD_CHANGED, P.AUTHORISED): {R},
    (P.CARD_CHANGED, P.WRITING): {OLD},
    (P.CARD_CHANGED, P.DONE): {A},
    (P.CARD_CHANGED, P.ROLLING_BACK): {OLD},
    (P.CARD_CHANGED, P.OUT_OF_STEP): {OLD, R, A},
    (P.WRITING, P.DONE): {OLD, R, F},
    (P.WRITING, P.ROLLING_BACK): {OLD},
    (P.WRITING, P.OUT_OF_STEP): {OLD, R, F},
    (P.ROLLING_BACK, P.ROLLED_BACK): {OLD},
    (P.ROLLING_BACK, P.OUT_OF_STEP): {OLD},
}


@pytest.mark.parametrize(
    ("phase", "target", "route"), itertools.product(Phase, Phase, Route)
)
def test_every_phase_and_target(phase: Phase, target: Phase, route: Route) -> None:
    outcome = advance(phase, target, route)
    if route in EXPECTED.get((phase, target), set()):
        assert outcome is target
    else:
        assert isinstance(outcome, Refusal)


@pytest.mark.parametrize(
    ("kind", "follows", "interrupted"),
    itertools.product(Kind, (True, False), (True, False)),
)
def test_every_operation_has_one_route(
    kind: Kind, follows: bool, interrupted: bool
) -> None:
    route = route_of(kind, password_follows=follows, interrupted=interrupted)
    if kind is Kind.FINISH:
        assert route is Route.FINISH
    elif not follows:
        assert route is Route.CARD_ALONE
    elif kind is Kind.UNBLOCK or (kind is Kind.ACTIVATE and interrupted):
        assert route is Route.RESET
    else:
        assert route is Route.OLD_PIN


def test_what_has_ended_goes_nowhere() -> None:
    ends = {phase for phase in Phase if is_final(phase)}
    assert ends == {P.DONE, P.REFUSED, P.ROLLED_BACK, P.OUT_OF_STEP}
    assert not any(step.source in ends for step in TABLE)


def test_every_edge_has_a_sentence() -> None:
    assert all(step.sentence.endswith(".") for step in TABLE)
