"""A station's clock jumps just before each call of each visit: its signatures are of
another time, so it is told by how much, nothing more happens, and the card comes home.
"""

from __future__ import annotations

import itertools

import pytest
from lab.histories import PLAIN, STORIES, History, Story
from lab.servers.jumping import Jumping
from lab.servers.reaches import reached_by

from kiosk.authority.errors import ClocksApart
from kiosk.visit.views import Outcome

HOUR = 3600.0


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["ahead", "behind"])
@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_nothing_more_happens_and_the_card_comes_home(
    monkeypatch: pytest.MonkeyPatch, story: Story, by: float
) -> None:
    outcomes: list[Outcome] = []
    for number in itertools.count():
        jumping = Jumping(at=number, by=by)
        reached_by(monkeypatch, jumping.reach)
        history = History(story)
        result = history.attempt(jumping.begin)
        is_over = jumping.asked <= number
        jumping.end()
        assert result is not None, "the person is told how it ended"
        if is_over:
            assert result.outcome is Outcome.DONE, "nothing was in its way"
            break
        outcomes.append(result.outcome)
        assert history.world.directory.writes == []
        history.look()
        history.assert_invariants(result)
        history.come_home()
        assert history.is_in_step()
        history.assert_invariants(None)
    assert len(outcomes) >= 3, "it jumped before each of its calls"
    assert set(outcomes) <= {Outcome.REFUSED, Outcome.OUT_OF_STEP}


def test_a_kiosk_whose_clock_is_wrong_says_by_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jumping = Jumping(at=0, by=HOUR)
    reached_by(monkeypatch, jumping.reach)
    history = History(STORIES[0])
    jumping.begin()
    (fault,) = history.world.health()
    assert (fault.part, fault.message.key) == ("authority", ClocksApart.code)
    told = fault.message.data
    assert str(told["station"]) > str(told["authority"])
    jumping.end()
    assert history.world.health() == ()
