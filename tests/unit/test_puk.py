"""What is known of a PUK: every state × event, and every sequence of two faults."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

import pytest

from statemachine import candidates, render
from statemachine.candidates import TRIES, Candidate, Label, OutOfOrder, Puk
from statemachine.guards import Refusal
from statemachine.puk import AT_FACTORY, DUE, IN_ESCROW, TABLE, Known, PukEvent, advance

K, E, L = Known, PukEvent, Label.CURRENT
EXPECTED: dict[PukEvent, dict[Known, Known]] = {
    E.SAID_HOLDERS: {K.UNKNOWN: K.HOLDERS},
    E.SAID_FACTORY: {K.UNKNOWN: K.FACTORY},
    E.SET: dict.fromkeys(Known, K.CURRENT),
    E.TYPED: {
        K.UNKNOWN: K.HOLDERS,
        K.HOLDERS: K.HOLDERS,
        K.USED_UP: K.HOLDERS,
        K.FACTORY: K.FACTORY,
        K.FIRST_PENDING: K.FIRST_PENDING,
        K.CURRENT: K.CURRENT,
        K.EXPOSED: K.EXPOSED,
        K.DUE: K.DUE,
        K.PENDING: K.PENDING,
    },
    E.RELEASED: {
        K.FACTORY: K.FACTORY,
        K.FIRST_PENDING: K.FIRST_PENDING,
        K.CURRENT: K.EXPOSED,
        K.EXPOSED: K.EXPOSED,
        K.DUE: K.DUE,
        K.PENDING: K.PENDING,
    },
    E.OLD_TAKEN: {
        K.EXPOSED: K.DUE,
        K.DUE: K.DUE,
        K.PENDING: K.DUE,
        K.FACTORY: K.FACTORY,
        K.FIRST_PENDING: K.FACTORY,
    },
    E.NEW_TAKEN: {K.PENDING: K.DUE, K.FIRST_PENDING: K.DUE},
    E.REPLACING: {
        K.EXPOSED: K.PENDING,
        K.DUE: K.PENDING,
        K.PENDING: K.PENDING,
        K.FACTORY: K.FIRST_PENDING,
        K.FIRST_PENDING: K.FIRST_PENDING,
    },
    E.REPLACED: {K.PENDING: K.CURRENT, K.FIRST_PENDING: K.CURRENT},
    E.NEW_REFUSED: {K.PENDING: K.DUE, K.FIRST_PENDING: K.FACTORY},
    E.ALL_REFUSED: dict.fromkeys(Known, K.USED_UP),
}


@pytest.mark.parametrize(("known", "event"), itertools.product(Known, PukEvent))
def test_every_state_and_event(known: Known, event: PukEvent) -> None:
    expected = EXPECTED[event].get(known)
    outcome = advance(known, event)
    if expected is None:
        assert isinstance(outcome, Refusal)
    else:
        assert outcome is expected


def test_every_edge_has_a_sentence_and_is_drawn() -> None:
    for edge in TABLE:
        assert edge.sentence.endswith(".")
        assert f"{edge.source} --> {edge.target}: {edge.event}" in render.puk_mermaid()
        assert edge.sentence in render.puk_markdown()


def test_every_edge_stands_once() -> None:
    assert len({(edge.source, edge.event) for edge in TABLE}) == len(TABLE)


# --- a small world, explored whole ---------------------------------------------


class Fault(Enum):
    """What may go wrong when a command is sent."""

    NONE = auto()
    NOT_ARRIVED = auto()
    ANSWER_LOST = auto()
    DEFINITE_NO = auto()
    """6A80 and its like, though nothing was wrong."""
    NOT_VERIFIED = auto()
    """The card left between 9000 and the VERIFY that proves the PIN."""


@dataclass(frozen=True)
class Small:
    """A card with its true PUK, by what the registry calls it, and the registry."""

    puk: Puk
    has: str
    tries: int = TRIES
    current: str = "factory"
    """The value that the registry keeps as what the card had."""
    pending: str = ""
    drawn: int = 0

    def value(self, label: Label) -> str:
        return self.pending if label is Label.PENDING else self.current

    def kept(self) -> list[str]:
        """Values that are kept and not refused."""
        return [self.value(label) for label in self.puk.remaining()]

    def compared(self, given: str) -> tuple[Small, bool]:
        if given == self.has:
            return replace(self, tries=TRIES), True
        return replace(self, tries=self.tries - 1), False


def unblocked(world: Small, faults: Iterator[Fault], *, knowingly: bool) -> Small:
    """One unblock with what is kept, as a visit does it."""
    done: list[Label] = []
    while True:
        waiting = [each for each in world.puk.remaining() if each not in done]
        if not waiting or not candidates.may_send(world.puk, None, knowingly=knowingly):
            return world
        label, fault = waiting[0], next(faults)
        done.append(label)
        world = replace(world, puk=candidates.released(world.puk, label, None))
        if fault is Fault.NOT_ARRIVED:
            return world
        if fault is Fault.DEFINITE_NO:
            world = replace(world, puk=candidates.unheard(world.puk, label))
            if label is Label.CURRENT:  # of a form that it takes: it was the PIN
                return world
            continue
        given = world.value(label)
        world, right = world.compared(given)
        if fault is Fault.ANSWER_LOST or (right and fault is Fault.NOT_VERIFIED):
            return world
        if right:
            world = replace(world, puk=candidates.taken(world.puk, label))
            return replace(world, current=given, pending="")
        puk = candidates.refused(world.puk, label, world.tries)
        world = replace(world, puk=puk)


def replaced(world: Small, faults: Iterator[Fault]) -> Small:
    """One replacement, as a visit does it."""
    refusals = 0
    while world.puk.known in DUE and refusals < 2:
        waiting = world.puk.remaining()
        if not waiting or not candidates.may_send(world.puk, None, knowingly=False):
            return world
        label, fault = waiting[0], next(faults)
        puk = candidates.replacing(world.puk, label, None)
        if world.puk.pending is None or world.puk.pending.is_refused:
            drawn = world.drawn + 1
            world = replace(world, pending=f"new {drawn}", drawn=drawn)
        world = replace(world, puk=puk)
        if fault in (Fault.NOT_ARRIVED, Fault.NOT_VERIFIED):
            return world
        given = world.value(label)
        if fault is Fault.DEFINITE_NO:
            refusals += 1
            puk = candidates.new_refused(world.puk, label)
            if puk.pending is not None and label is Label.CURRENT:
                return replace(world, puk=puk)  # it may be there: not sent again
            if puk.pending is None:
                stays = given if label is Label.PENDING else world.current
                world = replace(world, current=stays, pending="")
            world = replace(world, puk=puk)
            continue
        world, right = world.compared(given)
        if right:
            world = replace(world, has=world.pending)
        if fault is Fault.ANSWER_LOST:
            return world
        if right:
            new = world.pending
            return replace(
                world, puk=candidates.replaced(world.puk), current=new, pending=""
            )
        puk = candidates.not_replaced(world.puk, label, world.tries)
        if puk.pending is None:
            world = replace(world, pending="")
        world = replace(world, puk=puk)
    return world


BEGINNINGS = [
    Small(Puk(known=K.FACTORY, current=Candidate()), has="factory"),
    Small(Puk(known=K.CURRENT, current=Candidate()), has="ours", current="ours"),
    Small(Puk(known=K.DUE, current=Candidate()), has="ours", current="ours"),
]
PLANS = list(itertools.product(("unblock", "replace", "both"), repeat=2))
MOST_SENDS = 6


def histories() -> Iterator[tuple[Small, tuple[str, ...], tuple[Fault, ...]]]:
    """Every beginning, two visits, and every single fault and pair in them."""
    kinds = [each for each in Fault if each is not Fault.NONE]
    for world, plan in itertools.product(BEGINNINGS, PLANS):
        for first, second in itertools.combinations(range(MOST_SENDS), 2):
            for one, other in itertools.product(kinds, [Fault.NONE, *kinds]):
                faults = [Fault.NONE] * MOST_SENDS
                faults[first], faults[second] = one, other
                yield world, plan, tuple(faults)


def lived(world: Small, plan: tuple[str, ...], faults: tuple[Fault, ...]) -> Small:
    """Let the visits happen; what goes wrong counts sends, whoever sends."""
    going = itertools.chain(faults, itertools.repeat(Fault.NONE))
    for visit in plan:
        if visit != "replace":
            world = unblocked(world, going, knowingly=False)
            assert world.has in world.kept(), (plan, faults)
        if visit != "unblock":
            world = replaced(world, going)
        assert world.has in world.kept(), (plan, faults)
        assert world.tries >= 1, (plan, faults)
        assert world.puk.left <= world.tries, (plan, faults)
    return world


def is_open(world: Small) -> bool:
    """Say whether the card has taken what is kept: it is the only value now."""
    known = world.puk.known in (K.DUE, K.FACTORY) and world.puk.left == TRIES
    return known and world.has == world.current and not world.pending


@pytest.mark.slow
def test_no_pair_of_faults_loses_the_puk_of_a_card() -> None:
    alone, asked = 0, 0
    for world, plan, faults in histories():
        after = lived(world, plan, faults)
        sound = itertools.repeat(Fault.NONE)
        again = unblocked(after, sound, knowingly=False)
        if is_open(again):
            alone += 1
        else:
            asked += 1
            again = unblocked(again, sound, knowingly=True)
            assert faults.count(Fault.NONE) < MOST_SENDS - 1, "a single one asks nobody"
        assert is_open(again), (plan, faults)
        final = replaced(again, sound)
        assert final.puk.known is K.CURRENT
        assert final.has == final.current
    assert alone > 15 * asked > 0, (alone, asked)


@pytest.mark.slow
def test_no_three_faults_lose_the_puk_of_a_card() -> None:
    """Whoever has to be asked then, a value that the card has is kept."""
    kinds = [Fault.NOT_ARRIVED, Fault.ANSWER_LOST, Fault.DEFINITE_NO]
    for world, plan in itertools.product(BEGINNINGS, PLANS):
        for at in itertools.combinations(range(MOST_SENDS), 3):
            for three in itertools.product(kinds, repeat=3):
                faults = [Fault.NONE] * MOST_SENDS
                for place, fault in zip(at, three, strict=True):
                    faults[place] = fault
                lived(world, plan, tuple(faults))


def test_two_noes_after_an_answer_that_was_lost_lose_no_puk() -> None:
    """The card has the new one since, and says so to nobody: both are kept."""
    faults = (Fault.ANSWER_LOST, Fault.DEFINITE_NO, Fault.DEFINITE_NO)
    world = lived(BEGINNINGS[2], ("replace", "replace"), faults)
    assert world.has == "new 1"
    assert world.kept() == ["ours", "new 1"]
    after = unblocked(world, itertools.repeat(Fault.NONE), knowingly=False)
    assert is_open(after)


def test_a_foreign_puk_never_loses_its_last_try() -> None:
    """Somebody changed it elsewhere: everything is refused, and one try stays."""
    kinds = [Fault.ANSWER_LOST, Fault.NOT_ARRIVED, Fault.NONE]
    for beginning, plan in itertools.product(BEGINNINGS, PLANS):
        for faults in itertools.product(kinds, repeat=4):
            world = replace(beginning, has="foreign")
            going = itertools.chain(faults, itertools.repeat(Fault.NONE))
            for visit in (*plan, *plan):
                world = unblocked(world, going, knowingly=False)
                if visit == "both":
                    world = replaced(world, going)
            assert world.tries >= 1, (plan, faults)


def test_a_value_that_was_refused_is_never_sent_again() -> None:
    puk = Puk(known=K.PENDING, current=Candidate(), pending=Candidate(placings=1))
    puk = candidates.released(puk, Label.PENDING, None)
    puk = candidates.refused(puk, Label.PENDING, 2)
    assert puk.remaining() == (Label.CURRENT,)
    assert puk.left == 2


def test_what_was_refused_gives_no_try_back_afterwards() -> None:
    """A late "it compared nothing" of the same sending hides the try that it cost."""
    sent = candidates.released(Puk(known=K.CURRENT, current=Candidate()), L, None)
    said_no = candidates.refused(sent, L, None)
    assert said_no.left == 2
    with pytest.raises(OutOfOrder):
        candidates.unheard(said_no, L)


def test_what_the_card_tells_is_believed_before_what_was_counted() -> None:
    puk = Puk(known=K.CURRENT, current=Candidate(unanswered=2), left=1)
    assert not candidates.may_send(puk, None, knowingly=False)
    assert candidates.may_send(puk, 3, knowingly=False)
    assert not candidates.may_send(replace(puk, left=3), 1, knowingly=False)
    assert candidates.may_send(puk, 1, knowingly=True)
    assert not candidates.may_send(puk, 0, knowingly=True)


def test_what_may_be_on_a_card_is_known_wherever_something_is_kept() -> None:
    for known in IN_ESCROW:
        assert not isinstance(advance(known, E.RELEASED), Refusal)


def test_a_new_puk_that_cannot_be_on_the_card_costs_no_try_later() -> None:
    """The card said no to the old value, so that nothing took its place."""
    before = Puk(known=Known.DUE, current=Candidate())
    sent = candidates.replacing(before, Label.CURRENT, None)
    after = candidates.not_replaced(sent, Label.CURRENT, 2)
    assert after.pending is None
    assert after.remaining() == ()
    assert after.known is Known.USED_UP


def test_a_new_puk_that_was_sent_twice_may_be_there_after_one_no() -> None:
    """The first answer was not heard: the card may have the new one since."""
    before = Puk(known=Known.DUE, current=Candidate())
    sent = candidates.replacing(before, Label.CURRENT, None)
    again = candidates.replacing(sent, Label.CURRENT, None)
    after = candidates.not_replaced(again, Label.CURRENT, 2)
    assert after.remaining() == (Label.PENDING,)
    assert after.pending == Candidate(placings=1), "the one that was not heard"
    assert after.left == 2


def test_a_no_to_a_new_puk_that_was_sent_before_says_nothing_of_that_time() -> None:
    """The first answer was not heard: the card may have the new one since."""
    before = Puk(known=Known.DUE, current=Candidate())
    sent = candidates.replacing(before, Label.CURRENT, None)
    again = candidates.replacing(sent, Label.CURRENT, None)
    after = candidates.new_refused(again, Label.CURRENT)
    assert after.remaining() == (Label.CURRENT, Label.PENDING)
    assert after.pending == Candidate(placings=1, is_set_aside=True)
    assert after.known is K.PENDING
    assert after.left == 2, "the one that was not heard"


def test_a_no_to_a_new_puk_that_was_sent_once_leaves_what_the_card_had() -> None:
    before = Puk(known=Known.DUE, current=Candidate())
    sent = candidates.replacing(before, Label.CURRENT, None)
    assert candidates.new_refused(sent, Label.CURRENT) == before


BOTH = Puk(
    known=Known.PENDING, current=Candidate(), pending=Candidate(placings=1), left=2
)
"""A replacement whose answer was not heard."""


def test_what_the_card_would_not_even_compare_is_asked_last() -> None:
    sent = candidates.released(BOTH, Label.PENDING, None)
    after = candidates.unheard(sent, Label.PENDING)
    assert after.remaining() == (Label.CURRENT, Label.PENDING)


def test_what_was_on_the_card_is_kept_where_the_new_puk_cannot_replace_itself() -> None:
    sent = candidates.replacing(BOTH, Label.PENDING, None)
    after = candidates.new_refused(sent, Label.PENDING)
    assert set(after.remaining()) == {Label.CURRENT, Label.PENDING}


def test_a_no_to_the_new_puk_itself_says_nothing_of_where_it_was_sent() -> None:
    sent = candidates.replacing(BOTH, Label.PENDING, None)
    after = candidates.not_replaced(sent, Label.PENDING, 2)
    assert after.pending == Candidate(placings=1, is_refused=True)
    assert after.remaining() == (Label.CURRENT,)
    assert after.known is K.PENDING


@pytest.mark.parametrize("label", [Label.PENDING, Label.CURRENT])
def test_what_the_card_took_is_the_only_one_that_it_has(label: Label) -> None:
    sent = candidates.released(BOTH, label, None)
    after = candidates.taken(sent, label)
    assert (after.current, after.pending) == (Candidate(), None)


def test_a_new_puk_that_must_be_there_is_the_only_one_that_the_card_has() -> None:
    """The old one was refused, and the new one cannot replace itself."""
    old_is_out = candidates.refused(
        candidates.released(BOTH, Label.CURRENT, None), Label.CURRENT, 2
    )
    sent = candidates.replacing(old_is_out, Label.PENDING, None)
    after = candidates.new_refused(sent, Label.PENDING)
    assert (after.current, after.pending) == (Candidate(), None)
    assert after.known is K.DUE


def test_what_every_factory_sets_is_known_where_it_may_still_be() -> None:
    """The card's own word for it is shown to its holder in each of these."""
    first = advance(K.FACTORY, E.REPLACING)
    assert frozenset({K.FACTORY, first}) == AT_FACTORY


def test_one_message_that_comes_twice_gives_one_try_back() -> None:
    """Else every repetition hid a try that a wrong value may have cost."""
    puk = candidates.released(
        Puk(known=K.CURRENT, current=Candidate(), left=2), L, None
    )
    puk = candidates.released(puk, L, None)
    assert puk.left == 0
    for left in (1, 2):
        puk = candidates.unheard(puk, L)
        assert puk.left == left
    with pytest.raises(OutOfOrder):
        candidates.unheard(puk, L)


def test_a_puk_that_was_taken_has_all_its_tries_again() -> None:
    sent = candidates.released(BOTH, Label.CURRENT, None)
    assert candidates.taken(sent, Label.CURRENT).left == TRIES


def test_a_puk_of_which_the_card_says_that_it_is_blocked_is_used_up() -> None:
    """Whatever else is kept, and whoever released what: there is nothing to send."""
    for label in Label:
        puk = Puk(known=K.PENDING, current=Candidate(), pending=Candidate(placings=1))
        puk = candidates.refused(puk, label, 0)
        assert puk.known is K.USED_UP
        assert puk.known not in IN_ESCROW
