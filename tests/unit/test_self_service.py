"""Where a person stands at the kiosk: every state × every event, by the table."""

from __future__ import annotations

from collections import deque

import pytest

from statemachine.self_service import (
    TABLE,
    Deed,
    SelfServiceEvent,
    SelfServiceState,
    edge_of,
    is_of_a_visit,
    is_working,
)

E, S = SelfServiceEvent, SelfServiceState
LEADS = {
    S.WAITING: "no_card>waiting one_card>recognising left_behind>forgotten "
    "several_cards>crowded time_up>waiting",
    S.CROWDED: "no_card>waiting one_card>recognising left_behind>forgotten",
    S.FORGOTTEN: "no_card>waiting one_card>recognising several_cards>crowded",
    S.RECOGNISING: "several_cards>crowded card_left>waiting recognised>home "
    "nothing_offered>dead_end "
    "failed>dead_end time_up>forgotten",
    S.HOME: "several_cards>crowded card_left>waiting chosen>asking time_up>forgotten",
    S.ASKING: "several_cards>crowded card_left>reading form_ready>typing "
    "question_ready>confirming failed>dead_end time_up>forgotten",
    S.ASKING_AGAIN: "several_cards>crowded card_left>reading form_ready>typing "
    "question_ready>confirming failed>dead_end time_up>forgotten",
    S.CONFIRMING: "several_cards>crowded card_left>reading confirmed>typing "
    "confirmed_all>working back>home time_up>forgotten",
    S.TYPING: "several_cards>crowded card_left>reading filled>working back>home "
    "time_up>forgotten",
    S.WORKING: "card_left>working_alone ended>result failed>dead_end",
    S.WORKING_ALONE: "ended>reading failed>reading",
    S.RESULT: "card_left>reading again>asking_again done_reading>recognising "
    "time_up>forgotten",
    S.DEAD_END: "card_left>reading time_up>forgotten",
    S.READING: "card_came>waiting done_reading>waiting time_up>waiting",
}
"""Written down apart from the table: what a person may see from where."""


def _expected(state: SelfServiceState, event: SelfServiceEvent) -> str | None:
    return dict(pair.split(">") for pair in LEADS[state].split()).get(event)


@pytest.mark.parametrize("event", E)
@pytest.mark.parametrize("state", S)
def test_every_event_in_every_state(
    state: SelfServiceState, event: SelfServiceEvent
) -> None:
    edge = edge_of(state, event)
    assert (None if edge is None else str(edge.target)) == _expected(state, event)


def test_no_two_edges_contradict_each_other() -> None:
    assert len({(edge.source, edge.event) for edge in TABLE}) == len(TABLE)


def test_every_state_can_be_reached_and_left() -> None:
    reached, to_see = {S.WAITING}, deque([S.WAITING])
    while to_see:
        here = to_see.popleft()
        for edge in TABLE:
            if edge.source is here and edge.target not in reached:
                reached.add(edge.target)
                to_see.append(edge.target)
    assert reached == set(S)
    assert {edge.source for edge in TABLE if edge.target is not edge.source} == set(S)


def test_whoever_leaves_is_forgotten() -> None:
    """No edge leads out of a visit without its end, and none begins two at once."""
    for edge in TABLE:
        leaves = is_of_a_visit(edge.source) and not is_of_a_visit(edge.target)
        assert leaves == (Deed.END in edge.deeds), edge
        begins = not is_of_a_visit(edge.source) and is_of_a_visit(edge.target)
        assert begins == (Deed.BEGIN in edge.deeds), edge


def test_nobody_disturbs_an_operation() -> None:
    """While it works, only its own end and its own card lead anywhere."""
    own = {E.ENDED, E.FAILED, E.CARD_LEFT}
    for edge in TABLE:
        if is_working(edge.source):
            assert edge.event in own, edge


def test_an_operation_begins_only_with_what_was_handed_over() -> None:
    for edge in TABLE:
        begins = is_working(edge.target) and not is_working(edge.source)
        assert begins == (Deed.SUBMIT in edge.deeds), edge


def test_what_was_begun_and_not_sent_is_said() -> None:
    for edge in TABLE:
        if edge.source in (S.ASKING, S.CONFIRMING, S.TYPING) and edge.event in (
            E.CARD_LEFT,
            E.SEVERAL_CARDS,
        ):
            assert Deed.SAY_UNSENT in edge.deeds


def test_whoever_comes_next_is_greeted_as_the_station_does() -> None:
    """The language of a person ends before the next visit begins."""
    for edge in TABLE:
        if edge.target is S.WAITING and edge.source is not S.WAITING:
            assert Deed.GREET_ANEW in edge.deeds, edge
