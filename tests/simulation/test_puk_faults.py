"""No fault at any APDU or commit, and no two, lose the PUK that a card really has.

Judged from outside: the simulated card's own PUK, and what the registry still keeps.
Every single fault of every story, and of the pairs a few that a seed chooses.
"""

from __future__ import annotations

import itertools
import random
from functools import partial

import pytest
from lab.cards.puk_histories import FACTORY, STORIES, PukHistory, PukStory, boundaries
from lab.histories import STORIES as ALL
from lab.histories import History, Story
from msgspec.structs import replace

from kiosk.authority.escrow import puks
from kiosk.authority.escrow.escrowed_secrets import PENDING, seal_field
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import PullAfter, PullBefore
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from statemachine.lifecycle import State
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import Escrow, ImportedPuk, Keyless, UnblockMethod
from storage.registry import Tx

PAIRS = 8
"""Of each story."""
by_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


@by_story
def test_no_single_fault_loses_the_puk_of_a_card(story: PukStory) -> None:
    for name, spoil in boundaries(story):
        history = PukHistory(story)
        history.visit(story.kinds[0], spoil)
        assert not history.violations(), name
        assert not history.come_to_rest(), f"{name}: nobody has to be asked"
        assert history.is_at_rest(), name


@by_story
def test_no_two_faults_lose_the_puk_of_a_card(story: PukStory) -> None:
    pairs = list(itertools.product(boundaries(story), boundaries(story, 1)))
    for (one, first), (other, second) in random.Random(story.name).sample(pairs, PAIRS):
        history = PukHistory(story)
        for kind, spoil in zip(story.kinds, (first, second), strict=True):
            history.visit(kind, spoil)
            assert not history.violations(), (one, other)
        history.come_to_rest()
        assert history.is_at_rest(), (one, other)


def test_a_try_that_two_faults_cost_is_on_record_and_given_back_at_a_release() -> None:
    """The new PUK never came to the card; the old one was written down, not sent."""
    history = PukHistory(STORIES[0])
    card = history.holder.made.card
    history.visit(Kind.UNBLOCK, new_puk_lost)
    assert (card.puk_tries_left, puks.of(history.escrow).known) == (3, Known.PENDING)
    history.visit(Kind.CHANGE, dying_before_the_old_one_is_sent)
    assert (card.puk_tries_left, puks.of(history.escrow).left) == (2, 1)
    history.visit(Kind.CHANGE)
    assert card.puk_tries_left == 2, "the one left at worst is not spent"
    assert not history.violations()
    assert history.come_to_rest(), "a helpdesk knows"
    assert history.is_at_rest()
    assert card.puk_tries_left == 3


def new_puk_lost(world: World) -> None:
    """The card leaves before the new PUK reaches it."""
    pull = partial(world.readers.faults.set, PullBefore(at=1))
    world.authority.after("puk_plan", pull)


def dying_before_the_old_one_is_sent(world: World) -> None:
    """The card says no to the new PUK, the old one is written down; there it ends."""
    world.authority.after(
        "puk_not_replaced", lambda: world.authority.after("puk_plan", die)
    )


# --- what must never be sent, and what is owed ---------------------------------------


def story(name: str) -> PukStory:
    return next(each for each in STORIES if each.name == name)


def test_a_wrong_puk_and_a_pulled_card_never_spend_the_last_try() -> None:
    """Somebody changed it elsewhere, and each answer of the card is lost."""
    history = PukHistory(STORIES[0])
    card = history.holder.made.card
    card.references.puk.replace(b"FOREIGN1")
    for _ in range(4):
        history.visit(Kind.UNBLOCK, answer_lost)
    assert card.puk_tries_left == 1
    assert puks.of(history.escrow).left == 1
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "stop.puk_last_try"
    assert card.puk_tries_left == 1, "the helpdesk did not know"
    history.world.release_code = history.last_try_code  # type: ignore[method-assign]  # as an operator who was warned
    history.visit(Kind.UNBLOCK)
    assert card.puk_tries_left == 0, "and this one did"


def answer_lost(world: World) -> None:
    """The card leaves when it has compared a PUK, before its answer arrives."""
    world.authority.after("release", partial(_pull_after_next, world))


def _pull_after_next(world: World) -> None:
    world.readers.faults.set(PullAfter(at=1))


def test_the_factory_puk_is_not_sent_to_a_card_of_which_nobody_said_it() -> None:
    history = PukHistory(story("imported, activated, unblocked"))
    history.holder.made.card.references.puk.replace(b"ISSUERS1")
    history.keep(puks.said(ImportedPuk.UNKNOWN, None))
    history.visit(Kind.ACTIVATE)
    assert history.state() is State.ACTIVE
    assert history.holder.made.card.puk_tries_left == 3
    assert puks.of(history.escrow).known is Known.UNKNOWN


def test_a_record_of_an_older_registry_is_read_and_its_puk_found() -> None:
    """A first replacement that was interrupted: the card has the factory's still."""
    history = PukHistory(story("imported with the factory's, changed"))
    with Secret(b"NEVER-ON") as never:
        sealed = seal_field(
            history.world.parts, history.holder.credential, PENDING, never
        )
    history.keep(Escrow(pending_sealed=sealed, wrong_tries=1))
    history.visit(Kind.CHANGE)
    history.visit(Kind.UNBLOCK)
    assert history.is_at_rest()
    assert history.holder.made.card.puk_tries_left == 3


def test_what_is_due_is_done_at_a_change_whose_password_does_not_follow() -> None:
    history = PukHistory(story("due, changed, card only"))
    before = history.kept()
    history.visit(Kind.CHANGE)
    assert history.is_at_rest()
    assert history.kept() != before


def test_the_holders_own_puk_is_not_taken_away() -> None:
    """A template that lets the holder unblock: what the holder has stays."""
    history = PukHistory(story("imported with the factory's, changed"))

    def holders(tx: Tx) -> None:
        template = replace(tx.template("staff"), unblock=(UnblockMethod.HOLDER_PUK,))
        saved = tx.save_template(template)
        mine = tx.credential(history.holder.credential)
        tx.save_credential(replace(mine, template_version=saved.version))

    history.world.registry.run(holders)
    result = history.attempt()
    assert history.holder.made.card.has_puk(FACTORY)
    assert result is not None
    assert Message("result.fact.puk_factory") in result.facts


def test_a_holder_who_types_wrong_puks_is_stopped_before_the_last_try() -> None:
    history = History(holders_story())
    card, told = history.holder.made.card, []
    history.puk = Secret(b"GUESSED1")
    for _ in range(2):
        result = history.attempt()
        assert result is not None
        told.append((result.headline.key, result.again))
    assert told == [
        ("card.wrong_puk", Kind.UNBLOCK),
        ("card.wrong_puk", None),
    ]
    assert card.puk_tries_left == 1
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "stop.puk_last_try", "a code alone is not enough"
    assert card.puk_tries_left == 1


def holders_story() -> Story:
    return next(each for each in ALL if each.name == "unblock, holder's PUK")


@pytest.mark.parametrize("proves_itself", [True, False])
def test_a_keyless_card_gets_a_puk_of_ours_once_it_proves_itself_or_says_so(
    *, proves_itself: bool
) -> None:
    history = History(
        Story(
            "change, keyless",
            Kind.CHANGE,
            keyless=Keyless.WITH_RELEASE,
            proves_itself=proves_itself,
        )
    )
    card = history.holder.made.card
    card.references.puk.replace(FACTORY)
    said = puks.said(ImportedPuk.FACTORY, None)
    history.world.registry.run(
        lambda tx: tx.save_credential(
            replace(tx.credential(history.holder.credential), escrow=said)
        )
    )
    result = history.attempt()
    assert result is not None
    factory = Message("result.fact.puk_factory")
    assert (factory in result.facts) is not proves_itself
    assert card.has_puk(FACTORY) is not proves_itself
