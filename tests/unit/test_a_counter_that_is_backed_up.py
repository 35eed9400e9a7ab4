"""A card backs up what its counter says, before it is greeted: by a key, without a PIN.

Where it cannot, it is greeted by what is on record. Where it has left, nobody is.
"""

from __future__ import annotations

import pytest
from lab.histories import History, Story
from lab.liar import named

from kiosk.cards.errors import CardRemoved
from kiosk.simulation.cards.faults import (
    AnyCardFault,
    PullAfter,
    PullBefore,
    WrongStatus,
)
from kiosk.visit.views import Home
from kiosk.visit.visit import Visit
from statemachine.lifecycle import State

UNBLOCK = named("unblock")


def recognised(story: Story, *faults: AnyCardFault) -> tuple[History, Home]:
    history = History(story)
    readers = history.world.readers
    visit: Visit = history.world.visit(readers.insert(history.holder.made.card))
    readers.faults.set(*faults)
    return history, visit.recognise()


def apdus(story: Story) -> int:
    history, _ = recognised(story)
    return history.world.readers.faults.count


@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
def test_a_card_that_leaves_while_it_is_recognised_is_never_greeted(
    fault: type[PullBefore | PullAfter],
) -> None:
    """At no APDU: not while it is read, and not while it proves itself."""
    whole = apdus(UNBLOCK)
    assert whole > apdus(named("unblock, no 9E")), "it proves itself last"
    for at in range(1, whole + 1):
        with pytest.raises(CardRemoved):
            recognised(UNBLOCK, fault(at=at))


def test_one_that_cannot_prove_itself_after_all_is_greeted_by_what_is_on_record() -> (
    None
):
    history, home = recognised(UNBLOCK, WrongStatus(ins=0x87, sw=0x6F00))
    assert home.headline.key == "home.headline.blocked", "as its counter says"
    assert history.world.credential("alice").state is State.ACTIVE, "nobody proved it"
