"""A station is revoked just before each call of each visit, and does nothing more.

What the card has become by then is on record, and finished at another station.
Over real HTTPS, judged by the roster on record.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from lab.histories import PLAIN, STORIES, History, Story
from lab.servers.reaches import reached_by
from lab.servers.revoking import Revoking

from kiosk.visit.views import Outcome


def goes_elsewhere(history: History) -> None:
    """The holder goes to the next kiosk with the card."""
    world = history.world
    world.settings = replace(world.settings, station="kiosk-2")
    world.restart()


def revoked_at_each_call(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> Sequence[tuple[Outcome | None, int]]:
    """Revoke it before the first call after the form, the second, and so on.

    Return how each ended, and how often the password was written.
    """
    ended: list[tuple[Outcome | None, int]] = []
    for number in itertools.count():
        revoking = Revoking(at=number)
        reached_by(monkeypatch, revoking.reach)
        history = History(story)
        result = history.attempt(revoking.begin)
        revoking.end()
        if revoking.asked <= number:
            assert result is not None
            assert result.outcome is Outcome.DONE, "nothing was in its way"
            return ended
        assert result is not None, "the person is told how it ended"
        ended.append((result.outcome, len(history.world.directory.writes)))
        goes_elsewhere(history)
        history.look()
        history.assert_invariants(result)
        history.come_home()
        assert history.is_in_step()
        history.assert_invariants(None)
    raise AssertionError


@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_it_does_nothing_more_and_another_goes_on(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    ended = revoked_at_each_call(monkeypatch, story)
    assert len(ended) >= 3, "it was revoked before each of its calls"
    assert {outcome for outcome, _ in ended} <= {Outcome.REFUSED, Outcome.OUT_OF_STEP}
    assert {writes for _, writes in ended} == {0}, "the password was never written"


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES[PLAIN:], ids=lambda story: story.name)
def test_nor_in_a_visit_of_another_kind(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    ended = revoked_at_each_call(monkeypatch, story)
    assert {writes for _, writes in ended} == {0}
