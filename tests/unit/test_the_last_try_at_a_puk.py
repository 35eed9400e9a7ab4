"""A card that tells how many tries its PUK has is believed, whatever the record says.

The record would allow another one: nobody here has spent those that are gone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab.cards.puk_histories import TELLS, C, PukHistory, PukStory, U
from lab.histories import History
from lab.liar import Liar, named

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import puks
from kiosk.authority.values import wipe
from kiosk.core.errors import Message
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from kiosk.simulation.interference import die
from kiosk.visit.views import Outcome
from statemachine.candidates import TRIES
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import ApprovalKind

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


# --- what is kept of it --------------------------------------------------------------


@pytest.mark.parametrize("story", ["unblock", "unblock, holder's PUK"])
def test_a_value_that_is_about_to_be_sent_costs_one_of_the_tries_that_were_told(
    story: str,
) -> None:
    """At worst, and before the card has said anything."""
    history = History(named(story))
    liar = Liar(history, Kind.UNBLOCK)
    if story == "unblock":
        liar.redeem(ApprovalKind.RELEASE, history.world.release_code("alice"))
        wipe(liar.port.release(liar.id, *liar.presence(), 2))
    else:
        liar.port.puk_typed(liar.id, 2)
    assert puks.of(liar.credential.escrow).left == 1


def test_a_puk_that_the_card_calls_blocked_is_used_up_though_another_is_kept() -> None:
    history = PukHistory(PukStory("cut while replaced", (U, U)))
    history.visit(U, lambda world: world.authority.before("puk_replaced", die))
    liar = Liar(history, Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, history.world.release_code("alice"))
    first = liar.port.release(liar.id, *liar.presence(), None).puk
    assert first is not None
    first.secret.wipe()
    liar.port.puk_wrong(liar.id, first.label, 0)
    with pytest.raises(Refused) as why:
        liar.port.puk_next(liar.id, (first.label,), None)
    assert why.value.reason == Message("stop.puk_used_up")


def test_how_often_a_form_was_refused_is_counted() -> None:
    """Whoever issues the card next begins with digits."""
    story = PukStory("digits alone", (U, U), options=PivOptions(digits_only_puk=True))
    history = PukHistory(story)
    history.visit(U)
    assert history.escrow.forms_refused == 1
