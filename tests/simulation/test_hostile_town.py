"""Anything may happen at any moment, and every promise is kept: judged from outside.

A bounded part of what `make soak` goes on with: singles and pairs are taken evenly from
all there are, and seeds begin at 0. Each judge is held to a history that breaks it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from lab.histories import PLAIN, STORIES, Story
from lab.hostile import every, explore, less
from lab.hostile.every import Pairs
from lab.hostile.explore import (
    Planned,
    happen,
    judged,
    points_of,
    shrunk,
    singles,
    wander,
)
from lab.hostile.families import EVERY
from lab.hostile.judges import broken
from lab.hostile.less import Less, Replayed
from lab.hostile.points import Done
from lab.hostile.together import together
from lab.hostile.town import PINS, Town

from kiosk.authority.operation import write_outcome
from kiosk.authority.rules import in_step
from kiosk.core.secret import Secret
from kiosk.visit.views import Outcome
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import AuditDraft
from storage.registry import Tx

EVERY_SINGLE, PAIRS, SEEDS = 8, 40, 60
"""Every so many-th single of a story, pairs of each story, random histories."""
CHANGE = STORIES[0]
by_plain_story = pytest.mark.parametrize(
    "story", STORIES[:PLAIN], ids=lambda story: story.name
)


@by_plain_story
def test_no_single_act_breaks_a_promise(story: Story) -> None:
    for one in itertools.islice(singles(story), 0, None, EVERY_SINGLE):
        assert (failure := happen(story, one)) is None, str(failure)


@by_plain_story
def test_no_two_acts_break_a_promise(story: Story) -> None:
    for pair in evenly(story, PAIRS):
        failure = happen(story, *pair)
        if failure is not None:
            raise AssertionError(str(happen(story, *shrunk(story, pair))))


def evenly(story: Story, count: int) -> Iterator[tuple[Planned, Planned]]:
    """Take so many of all pairs of a story, evenly."""
    return itertools.islice(Pairs(tuple(singles(story))).evenly(), count)


@pytest.mark.parametrize("is_apart", [False, True], ids=["in the station", "apart"])
@pytest.mark.parametrize("story", EVERY, ids=lambda story: story.name)
def test_every_way_is_gone_with_what_a_helpdesk_really_gives(
    story: Story, is_apart: bool
) -> None:
    town = Town(story, is_apart=is_apart)
    shown = town.visit(town.people[0], story.kind)
    assert shown is not None, "they had to leave"
    assert shown.outcome is Outcome.DONE
    assert judged(town, story.name) is None


def test_each_pair_is_taken_once_and_what_is_left_out_is_left_out_everywhere() -> None:
    points = [(point, choice) for point in range(30) for choice in range(7)]
    pairs = Pairs(tuple(Planned(*each) for each in points))
    taken = list(pairs.evenly())
    assert len({frozenset(pair) for pair in taken}) == len(taken) == pairs.count
    assert all(first.point != second.point for first, second in taken)
    begun = taken[: len(taken) // 100]
    assert {each.point for pair in begun for each in pair} == {*range(30)}


def test_all_singles_are_counted_and_the_parts_are_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(every, "EVERY", STORIES[:1])
    tried: list[object] = []
    monkeypatch.setattr(every, "happen", lambda *what, **where: tried.append(what))
    for part in range(3):
        tally = every.Tally(tried.append, part, 3)
        every.all_singles(tally)
        assert tally.there_are == len(every_one()) > 2000
        assert abs(tally.tried - tally.there_are / 3) < 1
    told = [each for each in tried if isinstance(each, str)]
    assert len(tried) - len(told) == len(every_one())


def every_one() -> list[Planned]:
    return [one for apart in (False, True) for one in singles(CHANGE, is_apart=apart)]


@pytest.mark.parametrize("begins", range(0, SEEDS, 20))
def test_whatever_seeds_choose_breaks_no_promise(begins: int) -> None:
    for seed in range(begins, begins + 20):
        assert (failure := wander(seed)) is None, str(failure)


def test_the_same_acts_are_the_same_history() -> None:
    one = list(singles(CHANGE))[200]
    stories = []
    for _ in range(2):
        town = Town(CHANGE)
        town.visit(town.people[0], Kind.CHANGE)
        stories.append([event.kind for event in town.store.audit_events()])
    assert stories[0] == stories[1]
    assert happen(CHANGE, one) == happen(CHANGE, one)


# --- the judges -----------------------------------------------------------------


@pytest.fixture
def town() -> Town:
    """One change went well."""
    town = Town(CHANGE)
    town.points.arm({})
    town.visit(town.people[0], Kind.CHANGE)
    assert broken(town) == []
    return town


def guilty(town: Town) -> set[str]:
    return {each.split()[0] for each in broken(town)}


def audited(town: Town, kind: str, data: dict[str, str] | None = None) -> None:
    """Forge an event of the operation that went well."""
    (operation,) = {e.operation for e in town.store.audit_events() if e.operation}

    def commit(tx: Tx) -> None:
        tx.audit(
            AuditDraft(
                at=town.world.clock.now(),
                station="kiosk-1",
                kind=kind,
                actor="forger",
                credential=town.people[0].holder.credential,
                operation=operation,
                data=data or {},
            )
        )

    town.store.run(commit)


def write_unproven(town: Town) -> None:
    with town.domain.connect() as dc, Secret(PINS[3]) as value:
        dc.set_password(dc.account(town.people[0].holder.account_guid), value)


def send_late(town: Town) -> None:
    whose = town.people[0].holder.account_guid
    at = town.points.done[-1].at
    town.points.done.append(Done("set_password", at + 61.0, whose))


def accept_a_nonce_twice(town: Town) -> None:
    (proof,) = [
        e for e in town.store.audit_events() if e.kind == "operation.authorised"
    ]
    audited(town, proof.kind, proof.data)


def change_the_card(town: Town) -> None:
    town.people[0].card.references.pin.replace(PINS[3])


def lose_a_try(town: Town) -> None:
    town.people[0].card.set_tries(pin=2)


def lose_a_try_of_the_puk(town: Town) -> None:
    town.people[0].card.set_tries(puk=2)


def lose_a_try_of_the_puk_and_stop(town: Town) -> None:
    """At worst one is left, and the card has said no to nothing."""
    lose_a_try_of_the_puk(town)
    at_worst(town, 1)
    audited(town, "escrow.rotation_begun")


def lose_a_try_of_the_puk_and_leave_it(town: Town) -> None:
    """Two are left at worst, and the value that gives it back was not sent again."""
    lose_a_try_of_the_puk(town)
    at_worst(town, 2)
    audited(town, "escrow.puk_wrong")
    audited(town, "escrow.rotation_begun")


def lose_a_try_of_the_puk_for_a_no_of_before(town: Town) -> None:
    """Whatever the card said no to, it has taken a PUK since."""
    lose_a_try_of_the_puk_and_stop(town)
    audited(town, "escrow.puk_wrong")
    audited(town, "escrow.puk_taken")
    audited(town, "escrow.puk_sent")


def at_worst(town: Town, left: int) -> None:
    own = town.people[0].holder.credential

    def commit(tx: Tx) -> None:
        known = tx.credential(own)
        escrow = msgspec.structs.replace(known.escrow, left=left)
        tx.save_credential(msgspec.structs.replace(known, escrow=escrow))

    town.store.run(commit)


def tell_a_pin(town: Town) -> None:
    audited(town, "credential.noted", {"words": f"it is {PINS[0].decode()}"})


def leave_the_table(town: Town) -> None:
    audited(town, "operation.rolled_back")


def hold_it_unseen(town: Town) -> None:
    own = town.people[0].holder.credential

    def commit(tx: Tx) -> None:
        known = tx.credential(own)
        tx.save_credential(msgspec.structs.replace(known, state=State.SUSPENDED))

    town.store.run(commit)


def hold_it_from_nowhere(town: Town) -> None:
    audited(town, "lifecycle.resume", {"from": "suspended", "to": "active"})


def tell_at_the_desk_what_was_not_done(town: Town) -> None:
    town.office.pages.told.append((town.people[0].holder.credential, "suspend"))


def hand_out_a_puk(town: Town) -> None:
    audited(town, "escrow.puk_sent")


@pytest.mark.parametrize(
    ("break_it", "promise"),
    [
        (write_unproven, "I1"),
        (send_late, "I1"),
        (accept_a_nonce_twice, "I2"),
        (change_the_card, "I3"),
        (lose_a_try, "I4"),
        (lose_a_try_of_the_puk, "I4"),
        (lose_a_try_of_the_puk_and_stop, "I4"),
        (lose_a_try_of_the_puk_and_leave_it, "I4"),
        (lose_a_try_of_the_puk_for_a_no_of_before, "I4"),
        (tell_a_pin, "I5"),
        (leave_the_table, "I6"),
        (hold_it_unseen, "I6"),
        (hold_it_from_nowhere, "I6"),
        (tell_at_the_desk_what_was_not_done, "I6"),
        (hand_out_a_puk, "I7"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_broken_promise_is_seen_by_its_judge(
    town: Town, break_it: Callable[[Town], None], promise: str
) -> None:
    break_it(town)
    assert promise in guilty(town)


def test_a_history_is_cut_down_to_the_acts_that_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write_outcome, "_differs", lambda *looks: False)
    monkeypatch.setattr(in_step, "moved", lambda *looks: in_step.Moved.OURS)
    write = next(p.number for p in points_of(CHANGE) if p.name == "set_password")
    near = [one for one in singles(CHANGE) if 0 <= one.point - write <= 4]
    pairs = itertools.combinations(near, 2)
    failing = next(pair for pair in pairs if happen(CHANGE, *pair) is not None)
    assert len(shrunk(CHANGE, failing)) <= len(failing)


@pytest.mark.parametrize("happens", [wander, together])
def test_a_seed_is_cut_down_to_the_parts_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, happens: Replayed
) -> None:
    monkeypatch.setattr(explore, "broken", who_was_revoked)
    seed = next(seed for seed in range(200) if happens(seed, Less()) is not None)
    found = less.shrunk(seed, happens)
    assert found is not None
    smallest, failure = found
    left = [part for part in smallest.met if part not in smallest.without]
    assert 1 <= len(left) <= 2
    assert happens(seed, smallest) == failure
    for part in left:
        fewer = replace(smallest, without=smallest.without | {part}, met={})
        assert happens(seed, fewer) is None, f"{part} was not needed"
    calmer = replace(smallest, restless=smallest.restless - 1, met={})
    assert smallest.restless == 0 or happens(seed, calmer) is None


def who_was_revoked(town: Town) -> list[str]:
    """Promise that nobody's card is ever ended."""
    return [
        f"I0 {each.name}"
        for each in town.people
        if town.credential(each).state is State.REVOKED
    ]
