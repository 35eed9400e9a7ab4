"""Other programs spend tries while somebody types: the last one is still not spent.

What was shown with the form is minutes old by then.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab.cards.admin_key_person import PHONE, PIN, Person
from lab.histories import STORIES, History, Story
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from kiosk.visit.views import Outcome
from statemachine.operation import Kind

TYPED = [it for it in STORIES if it.kind is not Kind.UNBLOCK]
by_story = pytest.mark.parametrize("story", TYPED, ids=lambda story: story.name)


def after_others(story: Story, tries: int) -> tuple[str, bool, int]:
    """Leave so many tries once the form is shown; return how it ends."""
    history = History(story)
    card = history.holder.made.card
    card.set_tries(pin=3)
    result = history.attempt(lambda _: card.set_tries(pin=tries))
    assert result is not None
    is_refused = result.outcome is Outcome.REFUSED
    assert is_refused is not (result.outcome is Outcome.DONE)
    return result.headline.key, result.again is not None, card.pin_tries_left


@by_story
def test_the_last_try_is_kept_and_the_same_is_not_offered_again(story: Story) -> None:
    assert after_others(story, 1) == ("card.last_try_kept", False, 1)


def test_a_key_that_tells_more_than_others_keeps_it_too() -> None:
    story = replace(named("change"), options=of_yubikey(5_417_533))
    assert after_others(story, 1) == ("card.last_try_kept", False, 1)


def test_and_so_does_a_gids_card() -> None:
    person = Person(PHONE, tries=3)
    person.form()
    form = person.visit.begin(Kind.CHANGE)
    person.chip.set_tries(pin=1)
    result = person.submit(form, old_pin=Secret(PIN))
    assert result.headline.key == "card.last_try_kept"
    assert person.chip.pin_tries_left == 1


@by_story
def test_a_pin_that_is_blocked_by_then_is_said_to_be(story: Story) -> None:
    assert after_others(story, 0) == ("card.pin_blocked", False, 0)


def test_with_two_tries_a_pin_is_sent() -> None:
    _, _, left = after_others(named("change"), 2)
    assert left == 3, "the right one gives all tries back"


def test_a_card_that_tells_no_counter_is_sent_it() -> None:
    silent = replace(named("change"), options=PivOptions(empty_verify=0x6985))
    _, _, left = after_others(silent, 1)
    assert left == 3
