"""The tables explored as a whole: no write unproven, every end, always a way home.

Everything that can happen in the tables happens here: each end of each operation in
each situation that can come about, other hands in between. What is stuck for good is in
docs/ways-home.md, and nothing else is.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from kiosk.texts import text
from scripts import ways_home
from statemachine.exploration import ISSUED_AGAIN, explored, homeless, why_not
from statemachine.lifecycle import Standing, State
from statemachine.operation import Kind, Phase, Route, is_final
from statemachine.puk import DUE, Known
from statemachine.situations import (
    Agreement,
    Situation,
    Transition,
    WayToOpen,
    ends,
    paths,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
graph_of = functools.cache(explored)
by_route = pytest.mark.parametrize("route", Route)
by_way = pytest.mark.parametrize("opens", WayToOpen)


# --- one operation -----------------------------------------------------------


@by_route
def test_nothing_is_written_that_was_not_authorised(route: Route) -> None:
    for path in paths(route):
        if Phase.WRITING in path:
            assert Phase.AUTHORISED in path[: path.index(Phase.WRITING)], path


def test_without_a_password_that_follows_nothing_is_ever_written() -> None:
    assert not any(Phase.WRITING in path for path in paths(Route.CARD_ALONE))


@by_route
def test_every_path_ends_and_none_goes_round(route: Route) -> None:
    for path in paths(route):
        assert is_final(path[-1])
        assert len(set(path)) == len(path)


@by_route
def test_the_card_is_marked_before_it_is_changed(route: Route) -> None:
    for path in paths(route):
        if Phase.CARD_CHANGED in path:
            marked = path.index(Phase.CARD_CHANGING)
            assert marked < path.index(Phase.CARD_CHANGED)


@by_route
def test_refused_means_that_nothing_was_changed(route: Route) -> None:
    for path in paths(route):
        if path[-1] is Phase.REFUSED:
            assert Phase.CARD_CHANGED not in path
            assert Phase.WRITING not in path


@by_route
def test_only_what_had_a_pin_that_works_goes_back(route: Route) -> None:
    goes_back = any(Phase.ROLLING_BACK in path for path in paths(route))
    assert goes_back is (route is Route.OLD_PIN)


@by_route
def test_a_changed_card_whose_password_may_differ_ends_out_of_step(
    route: Route,
) -> None:
    for end in ends(route):
        if (end.changed or end.doubtful) and end.phase is not Phase.DONE:
            assert end.phase is Phase.OUT_OF_STEP, end.path


def test_a_card_that_could_not_be_changed_back_is_not_known() -> None:
    """Nor is it where it was: only a way back that was verified says that."""
    back = [each for each in ends(Route.OLD_PIN) if Phase.ROLLING_BACK in each.path]
    assert {(each.phase, each.changed, each.doubtful) for each in back} == {
        (Phase.ROLLED_BACK, False, False),
        (Phase.OUT_OF_STEP, False, True),
    }


# --- a card's whole life -----------------------------------------------------


def stuck(opens: WayToOpen) -> list[Situation]:
    return homeless(graph_of(opens), issued_again=False)


def has_no_key(now: Situation, opens: WayToOpen) -> bool:
    return opens is WayToOpen.NOTHING or now.known is Known.USED_UP


HELPS = {
    "activate ends as done",
    "change ends as done",
    "unblock ends as done",
    "finish ends as done",
    "resume",
    "the helpdesk closes the case",
    "the card shows that it is blocked",
    "the card shows that it is not blocked",
    ISSUED_AGAIN,
}
HINDERS = {
    "suspend",
    "revoke",
    "retire",
    "the password is changed elsewhere",
    "a wrong PIN is typed",
    "the PIN is forgotten",
    "it is unblocked elsewhere",
    "the card has refused every PUK it may have",
}


def test_what_brings_somebody_home_is_known_by_name() -> None:
    """Not what ends out of step, what changed nothing, or what nobody meant."""
    found = {
        move
        for opens in WayToOpen
        for possible in graph_of(opens).values()
        for move in possible
    }
    assert {move.what for move in found if move.helps} == HELPS
    others = {move.what for move in found if not move.helps}
    assert {each for each in others if " ends as " not in each} == HINDERS


@by_way
def test_a_password_that_others_set_is_out_of_step(opens: WayToOpen) -> None:
    what = "the password is changed elsewhere"
    others = [
        move.to
        for possible in graph_of(opens).values()
        for move in possible
        if move.what == what
    ]
    assert others
    assert {each.agreement for each in others} == {Agreement.OUT_OF_STEP}


@pytest.mark.parametrize("agreement", Agreement)
def test_at_home_card_and_password_agree_or_are_said_not_to(
    agreement: Agreement,
) -> None:
    now = Situation(
        standing=Standing(State.ACTIVE), agreement=agreement, activated=True
    )
    at_home = agreement in {Agreement.IN_STEP, Agreement.CARD_ALONE}
    assert now.is_home is at_home


@by_way
def test_out_of_step_alone_is_never_stuck(opens: WayToOpen) -> None:
    """With a PIN that its holder knows and can type, every card comes home."""
    for now in stuck(opens):
        assert now.tries < 2 or not now.remembers or now.interrupted, now


@by_way
def test_blocked_is_stuck_only_where_nothing_is_left_that_opens(
    opens: WayToOpen,
) -> None:
    for now in stuck(opens):
        if now.standing.state is State.BLOCKED or now.tries == 0:
            assert has_no_key(now, opens), now


@by_way
def test_a_replacement_that_is_due_is_never_stuck_for_itself(opens: WayToOpen) -> None:
    for now in stuck(opens):
        if now.known in DUE:
            assert now.standing.state in (State.ISSUED, State.SUSPENDED), now
            assert not now.activated


@by_way
def test_what_is_stuck_has_no_key_or_was_never_activated(opens: WayToOpen) -> None:
    for now in stuck(opens):
        assert has_no_key(now, opens) or not now.activated, now


def test_with_a_key_in_escrow_the_same_card_can_be_issued_again() -> None:
    for now in homeless(graph_of(WayToOpen.ESCROW), issued_again=True):
        assert now.known is Known.USED_UP, now


def test_everything_that_can_be_stuck_is_in_the_document() -> None:
    document = (ROOT / ways_home.DOCUMENT).read_text("utf-8")
    assert document == ways_home.document(), "run: python -m scripts.ways_home"


def test_nobody_is_sent_from_one_refusal_to_another_that_sends_back() -> None:
    """Who reads “choose unblock” finds that it opens, or why it does not."""
    for opens in WayToOpen:
        for now in graph_of(opens):
            refusal = why_not(now, opens, Kind.ACTIVATE)
            if refusal is None or "forgotten" not in text(refusal.code):
                continue
            other = why_not(now, opens, Kind.UNBLOCK)
            assert other is None or other.code != "refusal.not_activated", now


def test_a_way_home_that_is_taken_away_is_missed() -> None:
    """The exploration can fail: without these ways, cards are stuck that were not."""
    graph = graph_of(WayToOpen.ESCROW)
    assert any(
        now.agreement is Agreement.OUT_OF_STEP
        for now in set(homeless(_without(graph, "ends as done"), issued_again=True))
    )


def _without(
    graph: dict[Situation, tuple[Transition, ...]], what: str
) -> dict[Situation, tuple[Transition, ...]]:
    return {
        now: tuple(move for move in possible if what not in move.what)
        for now, possible in graph.items()
    }
