"""Several people at several stations, by turns that one seed gives: no promise breaks.

Real threads, as a station has them: one for its card, one for what the authority does.
Which goes next is the seed's choice at every point, so a history replays exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from lab.histories import STORIES, Story
from lab.hostile.all_bytes import digest
from lab.hostile.explore import happen, points_of, singles
from lab.hostile.families import OTHERS
from lab.hostile.judges import broken
from lab.hostile.office import DECISIONS
from lab.hostile.points import AFTER, LINE, Lost, Point
from lab.hostile.together import been_together, together
from lab.hostile.town import Town
from lab.hostile.turns import NobodyCanGoOn, Turns, TurnWorker

from kiosk.authority.errors import Refused
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine.lifecycle import State
from statemachine.operation import Kind

EVERY_SINGLE = 97
"""Every so many-th single of a story of which the plain ones are tried elsewhere."""


@pytest.mark.parametrize("begins", range(0, 60, 20))
def test_whatever_several_do_at_once_breaks_no_promise(begins: int) -> None:
    for seed in range(begins, begins + 20):
        assert (failure := together(seed)) is None, str(failure)


@pytest.mark.parametrize("seed", [3, 7, 11])
def test_the_same_seed_is_the_same_turns_and_the_same_bytes(seed: int) -> None:
    seen = []
    for _ in range(2):
        turns: list[str] = []
        town = been_together(seed, taken=turns)
        cards = [digest(each.holder.made.card) for each in town.people]
        events = [repr(each) for each in town.store.audit_events()]
        seen.append((turns, cards, digest(town.domain._state), events))
    assert seen[0] == seen[1]
    assert len(set(seen[0][0])) > 2, "nobody else had a turn"


def test_another_seed_gives_other_turns() -> None:
    def taken(seed: int) -> list[str]:
        turns, order = Turns(seed), list[str]()

        def goes(name: str) -> Callable[[], None]:
            def go() -> None:
                for _ in range(5):
                    order.append(name)
                    turns.turn()

            return go

        for name in "abc":
            turns.begin(name, goes(name))
        turns.go()
        return order

    assert taken(1) == taken(1)
    assert len({tuple(taken(seed)) for seed in range(5)}) > 1


def test_who_waits_for_each_other_is_told() -> None:
    turns = Turns(1)

    def waits_for_ever() -> None:
        turns.until(lambda: False)

    turns.begin("a", waits_for_ever)
    with pytest.raises(NobodyCanGoOn, match="a"):
        turns.go()


def test_what_one_of_them_raises_is_told() -> None:
    turns = Turns(1)
    worker = TurnWorker(turns, "worker")

    def job() -> None:
        raise ZeroDivisionError

    def ask() -> None:
        pending = worker.submit(job)
        worker.stop()
        pending.result()

    turns.begin("asks", ask)
    with pytest.raises(ZeroDivisionError):
        turns.go()


@pytest.mark.parametrize("story", OTHERS, ids=lambda story: story.name)
def test_no_single_act_breaks_a_promise_on_other_families(story: Story) -> None:
    for one in list(singles(story))[::EVERY_SINGLE]:
        assert (failure := happen(story, one)) is None, str(failure)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_single_act_on_the_line_breaks_a_promise(story: Story) -> None:
    for one in list(singles(story, is_apart=True))[::EVERY_SINGLE]:
        failure = happen(story, one, is_apart=True)
        assert failure is None, str(failure)


def test_who_goes_before_the_helpdesk_answers_lets_go_of_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes next, on a thread of their own, would wait for it for ever."""
    by_phone = next(
        story for story in OTHERS if story.name == "unblock by telephone, GIDS"
    )
    town = Town(by_phone)
    why = Refused(Message("refusal.suspended"))  # kept, and with it all its frames

    def refuses(person: object, spoken: str) -> Secret:
        raise why

    monkeypatch.setattr(town.office, "answered", refuses)
    assert town.visit(town.people[0], Kind.UNBLOCK) is None
    (slot,) = town.readers._slots.values()
    free: list[bool] = []
    other = Thread(target=lambda: free.append(slot.transaction.acquire(blocking=False)))
    other.start()
    other.join()
    assert free == [True]


STEPS = 3
"""Between which others may go on while Hanna decides at her pages."""
NOW = {
    "suspend": State.SUSPENDED,
    "revoke": State.REVOKED,
    "release": State.ACTIVE,
}


@pytest.mark.parametrize("choice", NOW)
def test_hanna_decides_at_her_pages(choice: str) -> None:
    town = Town(STORIES[0])
    person = town.people[0]
    page = town.office.pages.decides(person, choice, lambda: None)
    assert page is not None
    assert not page.is_refused
    assert town.credential(person).state is NOW[choice]
    told = [(person.holder.credential, choice)] if choice != "release" else []
    assert town.office.pages.told == told
    assert broken(town) == []


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("choice", NOW)
def test_what_a_page_has_shown_is_judged_anew_when_it_is_confirmed(
    choice: str, step: int
) -> None:
    """Somebody else revokes the card while she reads, chooses or types."""
    town = Town(STORIES[0])
    person, left = town.people[0], step

    def between() -> None:
        nonlocal left
        if left == 0:
            town.office.decides(person, DECISIONS["revokes the card"])
        left -= 1

    page = town.office.pages.decides(person, choice, between)
    assert page is not None
    assert page.is_refused
    assert page.notice == Message("refusal.revoked")
    assert town.credential(person).state is State.REVOKED
    assert town.office.pages.told == []
    assert broken(town) == []


def test_who_died_with_the_authority_signs_in_anew() -> None:
    town = Town(STORIES[0])
    person = town.people[0]
    assert town.office.pages.decides(person, "suspend", town.restart) is not None
    assert town.office.pages.decides(person, "resume", lambda: None) is not None
    assert town.credential(person).state is State.ACTIVE


@pytest.mark.parametrize("call", ["prepare", "authorise", "write"])
def test_an_answer_that_is_lost_is_asked_for_again_and_all_is_done_once(
    call: str,
) -> None:
    town = Town(STORIES[0], is_apart=True)
    wanted = next(
        point.number
        for point in points_of(STORIES[0], is_apart=True)
        if (point.kind, point.name, point.moment) == (LINE, call, AFTER)
    )

    def lose(point: Point) -> None:
        raise Lost

    town.points.arm({wanted: ("the answer is lost", lose)})
    shown = town.visit(town.people[0], Kind.CHANGE)
    assert shown is not None
    assert shown.outcome == "done"
    assert len(town.domain.writes) == 1
    assert broken(town) == []
