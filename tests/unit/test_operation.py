"""The operation's machine: every phase × phase × kind."""

from __future__ import annotations

import itertools

import pytest

from statemachine.guards import Refusal
from statemachine.operation import TABLE, Kind, Phase, advance, is_final

A, C, U, F = Kind.ACTIVATE, Kind.CHANGE, Kind.UNBLOCK, Kind.FINISH
P = Phase
EXPECTED: dict[tuple[Phase, Phase], set[Kind]] = {
    (P.PREPARED, P.AUTHORISED): {A, C, F},
    (P.PREPARED, P.CARD_CHANGING): {A, C, U},
    (P.PREPARED, P.REFUSED): {A, C, U, F},
    (P.PREPARED, P.OUT_OF_STEP): {F},
    (P.AUTHORISED, P.CARD_CHANGING): {A, C},
    (P.AUTHORISED, P.WRITING): {A, U, F},
    (P.AUTHORISED, P.REFUSED): {A, C, F},
    (P.AUTHORISED, P.OUT_OF_STEP): {A, U},
    (P.CARD_CHANGING, P.CARD_CHANGED): {A, C, U},
    (P.CARD_CHANGING, P.REFUSED): {A, C, U},
    (P.CARD_CHANGING, P.OUT_OF_STEP): {A, C, U},
    (P.CARD_CHANGED, P.AUTHORISED): {A, U},
    (P.CARD_CHANGED, P.WRITING): {A, C},
    (P.CARD_CHANGED, P.DONE): {A, C, U},
    (P.CARD_CHANGED, P.ROLLING_BACK): {A, C},
    (P.CARD_CHANGED, P.OUT_OF_STEP): {A, C, U},
    (P.WRITING, P.DONE): {A, C, U, F},
    (P.WRITING, P.ROLLING_BACK): {A, C},
    (P.WRITING, P.OUT_OF_STEP): {A, C, U, F},
    (P.ROLLING_BACK, P.ROLLED_BACK): {A, C},
    (P.ROLLING_BACK, P.OUT_OF_STEP): {A, C},
}


@pytest.mark.parametrize(
    ("phase", "target", "kind"), itertools.product(Phase, Phase, Kind)
)
def test_every_phase_and_target(phase: Phase, target: Phase, kind: Kind) -> None:
    outcome = advance(phase, target, kind)
    if kind in EXPECTED.get((phase, target), set()):
        assert outcome is target
    else:
        assert isinstance(outcome, Refusal)


def test_what_has_ended_goes_nowhere() -> None:
    ends = {phase for phase in Phase if is_final(phase)}
    assert ends == {P.DONE, P.REFUSED, P.ROLLED_BACK, P.OUT_OF_STEP}
    assert not any(step.source in ends for step in TABLE)


def test_every_edge_has_a_sentence() -> None:
    assert all(step.sentence.endswith(".") for step in TABLE)
