"""A card that tells how many tries its PUK has is believed, whatever the record says.

The record would allow another one: nobody here has spent those that are gone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab.cards.puk_histories import TELLS, C, PukHistory, PukStory, U
from lab.histories import History
from lab.liar import named

from kiosk.authority.escrow import puks
from kiosk.core.errors import Message
from kiosk.simulation.cards.options import of_yubikey
from kiosk.simulation.interference import die
from kiosk.visit.views import Outcome
from statemachine.candidates import TRIES
from statemachine.puk import Known

FOREIGN = b"FOREIGN1"


@pytest.mark.parametrize("story", ["unblock", "unblock, holder's PUK"])
def test_a_pin_is_not_set_with_the_last_try_that_the_card_tells_of(story: str) -> None:
    history = History(replace(named(story), options=of_yubikey(5_417_533)))
    card = history.holder.made.card
    card.references.puk.replace(FOREIGN)
    card.set_tries(pin=0, puk=1)
    assert puks.of(history.world.credential("alice").escrow).left == TRIES
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "stop.puk_last_try"
    assert card.puk_tries_left == 1


def test_a_puk_that_is_due_is_not_replaced_with_the_last_try() -> None:
    story = PukStory("due, changed", (C, U), Known.DUE, TELLS)
    history = PukHistory(story)
    card = history.holder.made.card
    card.references.puk.replace(FOREIGN)
    card.set_tries(puk=1)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert Message("result.fact.puk_due") in result.facts
    assert card.puk_tries_left == 1


def test_what_the_card_told_before_a_wrong_one_is_not_true_after_it() -> None:
    """Two may be on it, two tries are left, and it has neither."""
    history = PukHistory(PukStory("cut while replaced", (U, C), options=TELLS))
    history.visit(U, lambda world: world.authority.before("puk_replaced", die))
    assert puks.of(history.escrow).known is Known.PENDING
    card = history.holder.made.card
    card.references.puk.replace(FOREIGN)
    card.set_tries(puk=2)
    history.visit(C)
    assert card.puk_tries_left == 1
