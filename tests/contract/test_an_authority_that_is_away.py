"""The authority goes away at each call of each visit: nothing is lost, and nothing is
said that is not true.

Over real HTTPS. A call may have been heard or not; the authority may be back at the
next call or stay away until the card comes again.
"""

from __future__ import annotations

import itertools

import pytest
from lab.histories import PLAIN, STORIES, History, Story
from lab.servers.away import Away
from lab.servers.reaches import reached_by

from kiosk.authority.errors import AuthorityAway
from kiosk.visit.views import Outcome
from statemachine.lifecycle import State
from statemachine.operation import Kind


def lost_at_each_call(
    monkeypatch: pytest.MonkeyPatch, story: Story, **how: bool
) -> list[Outcome | None]:
    """Let it be away at the first call after the form, at the second, and so on."""
    outcomes: list[Outcome | None] = []
    for number in itertools.count():
        away = Away(at=number, **how)
        reached_by(monkeypatch, away.reach)
        history = History(story)
        result = history.attempt(away.begin)
        away.end()
        if away.asked <= number:
            assert result is not None
            assert result.outcome is Outcome.DONE, "nothing was in its way"
            return outcomes
        outcomes.append(result.outcome if result is not None else None)
        history.look()
        history.assert_invariants(result)
        history.come_home()
        assert history.is_in_step()
        history.assert_invariants(None)
    raise AssertionError


@pytest.mark.parametrize("is_back", [True, False], ids=["and back", "and stays away"])
@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "unheard"])
@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_a_visit_comes_home(
    monkeypatch: pytest.MonkeyPatch, story: Story, is_heard: bool, is_back: bool
) -> None:
    outcomes = lost_at_each_call(monkeypatch, story, is_heard=is_heard, is_back=is_back)
    assert len(outcomes) >= 3, "each of its calls was lost once"
    assert None not in outcomes, "the person is told how it ended"


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES[PLAIN:], ids=lambda story: story.name)
def test_a_visit_of_another_kind_comes_home(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    lost_at_each_call(monkeypatch, story, is_heard=True, is_back=False)


def test_before_the_card_is_changed_nothing_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first two calls of a change are prepare and authorise."""
    outcomes = lost_at_each_call(monkeypatch, STORIES[0], is_heard=True, is_back=False)
    assert outcomes[:2] == [Outcome.REFUSED, Outcome.REFUSED]
    assert outcomes[2] is not Outcome.REFUSED


def test_a_kiosk_without_its_authority_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away(at=0)
    reached_by(monkeypatch, away.reach)
    history = History(STORIES[0])
    away.begin()
    (fault,) = history.world.health()
    assert (fault.part, fault.message.key) == ("authority", AuthorityAway.code)
    away.end()
    assert history.world.health() == ()


# --- how often a station asks --------------------------------------------------------

CALLS = {story.name: story for story in STORIES[:PLAIN]}
FOUND_BLOCKED = CALLS["unblock"]
"""The registry has not heard of it: the card proves that it is the one on record."""
KNOWN_BLOCKED = Story("unblock", Kind.UNBLOCK, State.BLOCKED, tries=0)
ROUND_TRIPS = [
    (CALLS["change"], 4),
    (CALLS["activate"], 4),
    (CALLS["activate by code"], 6),
    (CALLS["finish"], 4),
    (KNOWN_BLOCKED, 9),
    (FOUND_BLOCKED, 10),
]


@pytest.mark.parametrize(("story", "most"), ROUND_TRIPS)
def test_round_trips_are_few(
    monkeypatch: pytest.MonkeyPatch, story: Story, most: int
) -> None:
    """From the card's coming in to its result: each costs the way there and back."""
    away = Away()
    reached_by(monkeypatch, away.reach)
    history = History(story)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    calls = history.world.authority.calls
    assert len(calls) == most, calls
