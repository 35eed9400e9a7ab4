"""What a station says of an operation that has ended already changes nothing.

Another look at the card has ended it meanwhile, or the message comes very late.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import STORIES, History
from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.authorised_time import (
    CLOCK_STEP,
    WRITE_SECONDS,
    is_late,
    left_of,
)
from kiosk.authority.operation.transitions import move
from kiosk.authority.ports import Authority
from kiosk.authority.values import CardLimits, OpenRequest
from kiosk.core.errors import Message
from kiosk.pin.alphabet import Alphabet
from statemachine.candidates import Label
from statemachine.operation import Kind, Phase
from storage.records import Operation

LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
WHY = Message("reason.not_restored")
Late = Callable[[Authority, str], object]


class Ended:
    """A change that was prepared, and has ended."""

    def __init__(self, kind: Kind = Kind.CHANGE) -> None:
        story = next(each for each in STORIES if each.kind is kind)
        self.history = History(story)
        self.authority = self.history.world.authority.port
        self.id = self.history.prepare(kind, LIMITS).operation
        self.authority.refuse(self.id, Message("reason.not_written"))

    def all_there_is(self) -> tuple[object, ...]:
        world = self.history.world
        kept = world.registry.run(lambda tx: tx.operation(self.id))
        return (
            kept,
            world.credential("alice"),
            [each.kind for each in world.registry.audit_events()],
        )


REFUSED: dict[str, Late] = {
    "the card is about to be changed": lambda it, which: it.card_changing(which),
    "the card has the new PIN": lambda it, which: it.card_changed(which, None),
    "it took a PUK": lambda it, which: it.card_changed(which, Label.CURRENT),
    "the old PIN is back": lambda it, which: it.rolled_back(which, restored=True),
    "the old PIN is not back": lambda it, which: it.rolled_back(which, restored=False),
}
PASSED_OVER: dict[str, Late] = {
    "nothing was changed": lambda it, which: it.refuse(which, WHY),
    "the card cannot be asked": lambda it, which: it.leave_out_of_step(which, WHY),
}


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.UNBLOCK])
@pytest.mark.parametrize("said", REFUSED)
def test_it_is_told_that_the_operation_has_ended(said: str, kind: Kind) -> None:
    ended = Ended(kind)
    before = ended.all_there_is()
    with pytest.raises(Refused) as refused:
        REFUSED[said](ended.authority, ended.id)
    assert refused.value.reason == Message("stop.operation_ended")
    assert ended.all_there_is() == before


@pytest.mark.parametrize("said", PASSED_OVER)
def test_that_it_has_ended_already_is_nothing_to_be_told(said: str) -> None:
    ended = Ended()
    before = ended.all_there_is()
    PASSED_OVER[said](ended.authority, ended.id)
    assert ended.all_there_is() == before


# --- how long an authorisation holds ------------------------------------------------


def authorised(seconds_ago: float) -> tuple[History, Operation]:
    """An operation that another process has authorised so long ago, by the wall."""
    history = History(STORIES[0])
    which = history.prepare(Kind.CHANGE, LIMITS).operation
    until = history.world.clock.now() + WRITE_SECONDS - seconds_ago
    kept = history.world.registry.run(lambda tx: tx.operation(which))
    given = replace(kept, phase=Phase.AUTHORISED, authorised_until=until)
    return history, given


@pytest.mark.parametrize(
    ("seconds_ago", "late"),
    [
        (0.0, False),
        (59.5, False),
        (60.0, False),
        (60.5, True),
        (-CLOCK_STEP, False),
        (-CLOCK_STEP - 0.5, True),
    ],
)
def test_an_authorisation_holds_for_sixty_seconds_and_is_never_of_the_future(
    seconds_ago: float, late: bool
) -> None:
    history, operation = authorised(seconds_ago)
    assert WRITE_SECONDS == 60.0
    assert is_late(history.world.parts, operation) is late
    assert left_of(history.world.parts, operation) == 60.0 - seconds_ago


def test_without_an_authorisation_there_is_nothing_left() -> None:
    history, operation = authorised(0.0)
    none = replace(operation, authorised_until=None)
    assert is_late(history.world.parts, none)


# --- how long another station counts as being at it -----------------------------------


@pytest.mark.parametrize(
    ("seconds", "is_free"), [(0.0, False), (119.5, False), (120.0, True)]
)
def test_another_station_is_at_it_for_two_minutes_after_its_last_step(
    seconds: float, is_free: bool
) -> None:
    history = History(STORIES[0])
    history.prepare(Kind.CHANGE, LIMITS)
    history.world.clock.sleep(seconds)
    other = LocalAuthority(history.world.parts, "kiosk-2")
    card = history.holder.made.identity.key
    case = other.open(OpenRequest(card=card, seen=history.seen(LIMITS)))
    (change,) = [each for each in case.offers if each.kind is Kind.CHANGE]
    refusal = None if is_free else Message("stop.another_is_writing")
    assert change.refusal == refusal


def test_the_two_minutes_begin_anew_with_each_step() -> None:
    history = History(STORIES[0])
    id_ = history.prepare(Kind.CHANGE, LIMITS).operation
    history.world.clock.sleep(100.0)
    registry = history.world.registry
    registry.run(
        lambda tx: move(tx, history.world.parts, tx.operation(id_), Phase.AUTHORISED)
    )
    other = LocalAuthority(history.world.parts, "kiosk-2")
    card = history.holder.made.identity.key
    request = OpenRequest(card=card, seen=history.seen(LIMITS))
    seen = []
    for _ in range(2):
        history.world.clock.sleep(60.0)
        offers = other.open(request).offers
        seen += [each.allowed for each in offers if each.kind is Kind.CHANGE]
    assert seen == [False, True]
