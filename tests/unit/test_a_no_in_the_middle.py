"""A no in the middle of an unblock: nothing is sent, so nothing is counted or changed.

The helpdesk may suspend a card while its holder types. What the record says of its PUK
then is what the card has: a try that is counted and was never sent is missing later.
"""

from __future__ import annotations

import pytest
from lab.cards.puk_histories import PukHistory, PukStory, U
from lab.histories import OLD, History
from lab.liar import LIMITS, named

from kiosk.authority.escrow import puks
from kiosk.authority.values import OpenRequest
from kiosk.visit.views import Outcome
from statemachine.candidates import TRIES
from statemachine.lifecycle import Event

ASKED = {"unblock": "release", "unblock, holder's PUK": "puk_typed"}


@pytest.mark.parametrize("story", ASKED)
def test_a_puk_that_is_not_sent_costs_no_try(story: str) -> None:
    """A card that is suspended just before: after two of them it had a last try."""
    history = History(named(story))
    world = history.world
    for _ in range(2):
        world.authority.before(
            ASKED[story], lambda: world.operate("alice", Event.SUSPEND)
        )
        result = history.attempt()
        assert result is not None
        assert result.headline.key == "stop.suspended"
        assert result.again is None, "nothing of it may be begun"
        assert history.card_pin() == OLD
        world.operate("alice", Event.RESUME)
    assert history.holder.made.card.puk_tries_left == TRIES
    assert puks.of(world.credential("alice").escrow).left == TRIES
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE


def test_a_wrong_puk_has_changed_nothing_though_nobody_hears_of_it() -> None:
    """The kiosk was started anew meanwhile, and has ended what it found."""
    history = PukHistory(PukStory("another's PUK", (U,)))
    card, world = history.holder.made.card, history.world
    card.references.puk.replace(b"75318642")
    card.set_tries(pin=0)

    def started_anew() -> None:
        world.authority.port.open(
            OpenRequest(
                card=history.holder.made.identity.key, seen=history.seen(LIMITS)
            )
        )

    result = history.attempt(lambda it: it.authority.before("puk_wrong", started_anew))
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert history.card_pin() == OLD
