"""Each action is offered once, the most probable one first, refused ones last.

At a kiosk and at the desk, for every state a card can be in.
"""

from __future__ import annotations

import itertools

import pytest
from lab.desk.office import Office

from kiosk.core.errors import Message
from statemachine.guards import Facts
from statemachine.lifecycle import Lifecycle, Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind
from storage.records import Sync

NOTHING_OPEN = (State.SUSPENDED, State.REVOKED, State.RETIRED)


def expected(state: State, tries: int | None, *, out_of_step: bool) -> Kind | None:
    """What somebody with such a card has most probably come for."""
    if state in NOTHING_OPEN:
        return None
    if tries == 0 or state is State.BLOCKED:
        return Kind.UNBLOCK
    if state is State.ISSUED:
        return None if tries == 1 else Kind.ACTIVATE
    if tries == 1:
        return Kind.UNBLOCK
    return Kind.FINISH if out_of_step else Kind.CHANGE


@pytest.mark.parametrize(
    ("state", "tries", "out_of_step"),
    itertools.product(State, (None, 0, 1, 2, 3), (False, True)),
)
def test_a_kiosk_offers_each_action_once_and_the_probable_one_first(
    state: State, tries: int | None, out_of_step: bool
) -> None:
    found = offers(
        Standing(state),
        Facts(tries_left=tries, has_unblock_method=True),
        out_of_step=out_of_step,
        activation_interrupted=False,
        lifecycle=Lifecycle(),
    )
    assert sorted(each.kind for each in found) == sorted(Kind)
    open_ = [each.kind for each in found if each.refusal is None]
    first = next(iter(open_), None)
    assert first == expected(state, tries, out_of_step=out_of_step)


FIRST = {
    "hanna": {
        (State.ISSUED, Sync.NEVER): "activation",
        (State.ACTIVE, Sync.IN_STEP): "release",
        (State.ACTIVE, Sync.OUT_OF_STEP): "finish",
        (State.BLOCKED, Sync.IN_STEP): "release",
        (State.BLOCKED, Sync.OUT_OF_STEP): "release",
        (State.SUSPENDED, Sync.IN_STEP): "resume",
    },
    "olga": {
        (State.ACTIVE, Sync.IN_STEP): "retire",
        (State.REVOKED, Sync.IN_STEP): "retire",
    },
}
"""What an operator most probably wants to do with such a card, by role."""


@pytest.mark.parametrize("name", ["hanna", "olga", "aaron", "ada"])
def test_the_desk_offers_each_action_once_by_one_letter(name: str) -> None:
    office = Office()
    office.sign_in(name)
    letters: dict[str, str] = {}
    for number, (state, sync) in enumerate(itertools.product(State, Sync)):
        who = f"person{number:02}"
        office.person(who)
        office.holder(who, state=state, sync=sync)
        office.open(who)
        assert office.page.name == "credential", (state, sync)
        choices = office.page.choices
        for of in ("key", "letter", "label"):
            told = [str(getattr(each, of)) for each in choices]
            assert len(set(told)) == len(told), (state, sync, of)
        refused = [each.refusal is not None for each in choices]
        assert refused == sorted(refused), "refused ones stand last"
        first = FIRST.get(name, {}).get((state, sync))
        if first is not None:
            assert choices[0].key == first, (state, sync)
        for each in choices:
            assert letters.setdefault(each.key, each.letter) == each.letter
            assert each.letter
            assert isinstance(each.label, Message)
        while office.page.name != "menu":
            office.back()
