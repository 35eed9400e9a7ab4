"""Other people set the password, at each moment of ours: never silently out of step.

The truth is the password that the simulated domain keeps, never a bind: the one before
the last binds for an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab.domain.other_hands import Answer, Meddled, Moment
from lab.histories import NEW, PLAIN, STORIES, History, Story
from msgspec.structs import replace

from kiosk.core.secret import Secret
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain.state import Dc
from kiosk.simulation.domain_faults import AttributeHidden, DcDown, Frozen
from kiosk.visit.views import Outcome
from storage.records import Sync
from storage.registry import Tx

pytestmark = pytest.mark.slow

FIRST, OTHER = "dc1.ad.test", "dc2.ad.test"
THEIRS = b"Helpdesk-4711"

Hand = Callable[[SimulatedDirectory, str, str], None]
"""Does something to an account (objectGUID) on a DC."""


def reset(domain: SimulatedDirectory, guid: str, dc: str) -> None:
    domain.change_elsewhere(guid, Secret(THEIRS), dc=dc)


def reset_must_change(domain: SimulatedDirectory, guid: str, dc: str) -> None:
    domain.change_elsewhere(guid, Secret(THEIRS), dc=dc, must_change=True)


def reset_to_ours(domain: SimulatedDirectory, guid: str, dc: str) -> None:
    """Twice: the second time to the value that we write."""
    domain.change_elsewhere(guid, Secret(THEIRS), dc=dc)
    domain.change_elsewhere(guid, Secret(NEW), dc=dc)


def smart_card(domain: SimulatedDirectory, guid: str, dc: str) -> None:
    domain.require_smart_card(guid, dc=dc)


def ticked_and_unticked(domain: SimulatedDirectory, guid: str, dc: str) -> None:
    domain.require_smart_card(guid, dc=dc)
    domain.change_account(guid, smart_card_required=False)


HANDS: dict[str, Hand] = {
    "a reset": reset,
    "a reset, must change": reset_must_change,
    "resets, the last to our value": reset_to_ours,
    "smart card required": smart_card,
    "smart card required, and not": ticked_and_unticked,
}


class Case:
    """One holder, one operation, two DCs that replicate when told to."""

    def __init__(self, story: Story, *, ahead: float = 0.0) -> None:
        self.history = History(story)
        self.domain = self.history.domain
        state = self.domain._state
        state.dcs = (*state.dcs, Dc(OTHER, "origin-of-the-other"))
        self.domain.replicate()
        self.domain.set_clock(OTHER, ahead=ahead)
        self.guid = self.history.holder.account_guid

    def meddle(
        self,
        moment: Moment | None,
        act: Callable[[], None],
        answer: Answer = Answer.COMES,
    ) -> Any:
        """Let the story happen with somebody else in it; return the result."""

        def spoil(world: Any) -> None:
            meddled = Meddled(self.domain, moment, act, answer)
            object.__setattr__(world.parts, "directory", meddled)

        try:
            return self.history.attempt(spoil)
        finally:
            object.__setattr__(self.history.world.parts, "directory", self.domain)

    def act(self, hand: Hand, dc: str) -> None:
        """Let the hand act there, and both DCs know of it at once."""
        hand(self.domain, self.guid, dc)
        self.domain.replicate()

    def notices(self) -> set[str]:
        """Insert the card; return what is said before anything is typed."""
        world = self.history.world
        world.readers.pull()
        visit = world.visit(world.readers.insert(self.history.holder.made.card))
        return {notice.key for notice in visit.recognise().notices}

    def forget_the_mark(self) -> None:
        """Let the record be one of before marks were kept."""

        def save(tx: Tx) -> None:
            credential = tx.credential(self.history.holder.credential)
            assert credential.last_sync is not None
            last = replace(credential.last_sync, mark=None)
            tx.save_credential(replace(credential, last_sync=last))

        self.history.world.registry.run(save)

    def assert_never_silent(self) -> None:
        """In step, by the record and by a look, only where both are the same."""
        for _ in range(2):
            self.history.home_screen()
            if self.history.sync() is Sync.IN_STEP:
                assert self.history.agrees(), "called in step, and it is not"
            self.domain.replicate()


EVERY_STORY = [
    *((STORIES[0], hand, where) for hand in HANDS for where in (FIRST, OTHER)),
    *(
        (story, hand, FIRST)
        for story in STORIES[1:PLAIN]
        for hand in ("a reset", "smart card required")
    ),
]


@pytest.mark.parametrize("answer", Answer)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    ("story", "named", "where"),
    EVERY_STORY,
    ids=lambda each: getattr(each, "name", each),
)
def test_a_second_writer_at_each_moment_is_seen(
    story: Story, moment: Moment, named: str, where: str, answer: Answer
) -> None:
    hand = HANDS[named]
    case = Case(story, ahead=-240.0)
    result = case.meddle(moment, lambda: case.act(hand, where), answer)
    if result.outcome is Outcome.DONE:
        assert case.history.agrees(), "done, and it is not"
    case.assert_never_silent()
    case.history.assert_invariants(result)


@pytest.mark.parametrize("ahead", [-240.0, -60.0, 0.0, 60.0])
@pytest.mark.parametrize("where", [FIRST, OTHER])
@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
def test_one_who_comes_later_is_seen_at_the_next_insertion(
    hand: Hand, where: str, ahead: float
) -> None:
    case = Case(STORIES[0], ahead=ahead)
    assert case.meddle(None, lambda: None).outcome is Outcome.DONE
    case.domain.replicate()
    case.act(hand, where)
    case.assert_never_silent()
    is_same = hand is reset_to_ours
    assert case.history.agrees() is is_same
    assert case.history.sync() is Sync.OUT_OF_STEP, "somebody was there"


@pytest.mark.parametrize("ahead", [-240.0, 0.0, 240.0])
@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
def test_one_on_a_dc_that_has_not_got_ours_yet_is_seen_if_it_stays(
    hand: Hand, ahead: float
) -> None:
    case = Case(STORIES[0], ahead=ahead)
    assert case.meddle(None, lambda: None).outcome is Outcome.DONE
    hand(case.domain, case.guid, OTHER)
    case.assert_never_silent()


@pytest.mark.parametrize("answer", Answer)
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.UNANSWERED, Moment.BIND])
def test_without_the_mark_a_reset_is_seen_where_its_time_tells(
    moment: Moment, answer: Answer
) -> None:
    case = Case(STORIES[0])
    case.domain.fail(AttributeHidden())
    case.meddle(moment, lambda: case.act(reset_must_change, FIRST), answer)
    case.domain.fail(AttributeHidden())
    case.assert_never_silent()


@pytest.mark.parametrize("ahead", [-240.0, -60.0])
def test_without_the_mark_a_reset_by_a_dc_behind_the_time_is_seen_on_the_recorded_one(
    ahead: float,
) -> None:
    case = Case(STORIES[0])
    case.domain.fail(AttributeHidden())
    result = case.meddle(None, lambda: None)
    assert result.outcome is Outcome.DONE
    assert "notice.mark_hidden" in {fact.key for fact in result.facts}
    case.domain.set_clock(FIRST, ahead=ahead)
    reset(case.domain, case.guid, FIRST)
    case.domain.fail(AttributeHidden())
    case.history.home_screen()
    assert case.history.sync() is Sync.OUT_OF_STEP


def test_a_look_that_cannot_tell_is_said_and_not_called_in_step() -> None:
    case = Case(STORIES[0])
    case.domain.fail(DcDown(dc=FIRST))
    assert case.meddle(None, lambda: None).outcome is Outcome.DONE
    case.domain.heal()
    case.domain.fail(DcDown(dc=OTHER))
    assert "notice.in_step_unseen" in case.notices(), "the other one lags, and is away"
    case.domain.heal()
    assert "notice.in_step_unseen" not in case.notices(), "the other one was asked"
    case.domain.fail(DcDown())
    assert "notice.in_step_unseen" in case.notices(), "nobody was asked"
    case.domain.heal()
    case.domain.replicate()
    assert "notice.in_step_unseen" not in case.notices()
    assert case.history.sync() is Sync.IN_STEP


def test_a_registry_from_before_the_mark_is_judged_by_the_time() -> None:
    case = Case(STORIES[0])
    case.forget_the_mark()
    assert "notice.in_step_unseen" not in case.notices()
    assert case.history.sync() is Sync.IN_STEP
    reset(case.domain, case.guid, FIRST)
    case.notices()
    assert case.history.sync() is Sync.OUT_OF_STEP


def test_one_write_of_ours_is_done_whatever_another_dc_s_clock_says() -> None:
    for answer in (Answer.COMES, Answer.LOST):
        case = Case(STORIES[0], ahead=-240.0)
        assert case.meddle(None, lambda: None, answer).outcome is Outcome.DONE
        assert case.history.is_in_step()


def test_a_user_who_is_renamed_in_the_middle_still_signs_in() -> None:
    case = Case(STORIES[0])

    def rename() -> None:
        case.domain.change_account(case.guid, dn="CN=Alice Miller,OU=Moved,DC=ad")

    assert case.meddle(Moment.UNANSWERED, rename).outcome is Outcome.DONE
    assert case.history.is_in_step()


def changed_without_an_answer() -> Case:
    """Our write was carried out, and nobody could ask whether it was."""
    case = Case(STORIES[0])
    case.domain.fail(Frozen(applied=True, stays=True))
    assert case.meddle(None, lambda: None).outcome is Outcome.OUT_OF_STEP
    case.domain.heal()
    return case


@pytest.mark.parametrize("resets", [0, 1, 2])
def test_what_others_set_after_our_uncertain_write_is_not_taken_for_it(
    resets: int,
) -> None:
    """One set may be ours; what was set once more than we wrote is somebody's."""
    case = changed_without_an_answer()
    for _ in range(resets):
        case.act(reset, FIRST)
    case.history.world.clock.sleep(120.0)
    case.notices()
    credential = case.history.world.credential("alice")
    theirs = credential.sync_reason == "reason.changed_elsewhere"
    assert credential.sync is Sync.OUT_OF_STEP
    assert theirs is bool(resets), "asked before theirs is overwritten, ours is not"


def test_a_look_that_a_write_overtook_marks_nothing() -> None:
    """Another station changes the PIN while this one looks: what it sees is ours."""
    case = Case(STORIES[0])
    world, holder = case.history.world, case.history.holder
    written: list[object] = []

    class Overtaken:
        """A domain that is asked only after somebody changed the PIN elsewhere."""

        def __getattr__(self, name: str) -> Any:
            return getattr(case.domain, name)

        def connect(self, dc: str | None = None) -> Any:
            if not written:
                written.append(None)
                written[0] = case.history.attempt()
            return case.domain.connect(dc)

    object.__setattr__(world.parts, "directory", Overtaken())
    visit = world.visit(world.readers.insert(holder.made.card))
    visit.recognise()
    assert getattr(written[0], "outcome", None) is Outcome.DONE
    assert case.history.is_in_step(), "a fresh write was marked by an older look"
