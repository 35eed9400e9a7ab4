"""What a controller answered is told once; what is kept of it can be said for ever."""

from __future__ import annotations

from lab.histories import History
from lab.liar import named

from kiosk.simulation.domain_faults import WriteNo
from kiosk.texts import sentence
from kiosk.visit.views import Outcome


def test_the_next_visit_says_of_a_refusal_what_is_still_true() -> None:
    """Its code was that answer's: a sentence with it would have a hole."""
    history = History(named("unblock"))
    result = history.attempt(lambda it: it.directory.fail(WriteNo(why="no_right")))
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    notices = visit.recognise().notices
    assert "reason.write_refused" in {notice.key for notice in notices}
    assert not [each for each in map(sentence, notices) if "{" in each]
