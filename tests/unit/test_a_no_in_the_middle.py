"""A no in the middle: nothing is sent, so nothing is counted, released or changed.

The helpdesk may suspend a card while its holder types. What the record says of its PUK
then is what the card has: a try that is counted and was never sent is missing later.
"""

from __future__ import annotations

import pytest
from lab.cards.admin_key_person import ONLINE, PIN, Person
from lab.cards.puk_histories import C, PukHistory, PukStory, U
from lab.histories import OLD, History
from lab.liar import LIMITS, Liar, named

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import puks
from kiosk.authority.values import OpenRequest
from kiosk.cards.piv.session import PivSession
from kiosk.core.secret import Secret
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from statemachine.candidates import TRIES
from statemachine.lifecycle import Event
from statemachine.operation import Kind, Phase
from statemachine.puk import Known
from storage.records import ApprovalKind

ASKED = {"unblock": "release", "unblock, holder's PUK": "puk_typed"}


@pytest.mark.parametrize("story", ASKED)
def test_a_puk_that_is_not_sent_costs_no_try(story: str) -> None:
    """A card that is suspended just before: after two of them it had a last try."""
    history = History(named(story))
    world = history.world
    for _ in range(2):
        world.authority.before(
            ASKED[story], lambda: world.operate("alice", Event.SUSPEND)
        )
        result = history.attempt()
        assert result is not None
        assert result.headline.key == "stop.suspended"
        assert result.again is None, "nothing of it may be begun"
        assert history.card_pin() == OLD
        world.operate("alice", Event.RESUME)
    assert history.holder.made.card.puk_tries_left == TRIES
    assert puks.of(world.credential("alice").escrow).left == TRIES
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE


HOLDING = [Event.SUSPEND, Event.REVOKE, Event.RETIRE]


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.registry.audit_events()]


@pytest.mark.parametrize("story", ["activate by code", "activate by code, keyless"])
@pytest.mark.parametrize("event", HOLDING)
def test_no_transport_pin_leaves_for_a_card_that_is_held(
    story: str, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to the kiosk nor to the card, and the operation is over."""
    verified: list[Secret] = []
    monkeypatch.setattr(PivSession, "verify", lambda _, pin: verified.append(pin))
    history = History(named(story))
    world = history.world
    world.authority.before("release", lambda: world.operate("alice", event))
    result = history.attempt()
    assert result is not None
    assert result.headline.key == f"stop.{world.credential('alice').state}"
    assert verified == []
    assert "escrow.released" not in kinds(world)
    assert kinds(world).count("operation.refused") == 1


def test_a_card_that_is_held_once_it_may_have_changed_is_not_said_to_be_untouched() -> (
    None
):
    """Whoever asks for the transport PIN again ends nothing by that."""
    liar = Liar(History(named("activate by code")), Kind.ACTIVATE)
    world = liar.history.world
    liar.redeem(ApprovalKind.ACTIVATION, world.activation_code("alice"))
    assert liar.port.release(liar.id, *liar.presence(), None).transport is not None
    liar.authorise(liar.sealed())
    liar.port.card_changing(liar.id)
    proof = liar.presence()
    world.operate("alice", Event.SUSPEND)
    with pytest.raises(Refused) as why:
        liar.port.release(liar.id, *proof, None)
    assert why.value.reason.key == "stop.suspended"
    assert liar.operation.phase is Phase.CARD_CHANGING


@pytest.mark.parametrize("step", ["admin_challenge", "admin_proof"])
@pytest.mark.parametrize("event", HOLDING)
def test_no_administrator_key_answers_for_a_card_that_is_held(
    step: str, event: Event
) -> None:
    """With what it answers, a station needs nobody any more to set a PIN."""
    person = Person(ONLINE)
    world = person.world
    world.authority.before(step, lambda: world.operate("alice", event))
    result = person.unblock_online()
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == f"stop.{world.credential('alice').state}"
    assert "escrow.admin_key_used" not in kinds(world)
    assert kinds(world).count("operation.refused") == 1
    assert person.chip.has_pin(PIN)


@pytest.mark.parametrize("event", HOLDING)
def test_no_puk_is_replaced_of_a_card_that_is_held(event: Event) -> None:
    """What the card has leaves the authority for that, too; it stays due."""
    history = PukHistory(PukStory("due, changed", (C,), Known.DUE))
    world = history.world
    world.authority.before("puk_plan", lambda: world.operate("alice", event))
    result = history.attempt()
    assert result is not None
    assert result.headline.key == f"stop.{world.credential('alice').state}"
    assert "escrow.rotation_begun" not in kinds(world)
    assert puks.of(history.escrow).known is Known.DUE
    assert history.card_pin() == OLD


def test_what_came_of_a_new_puk_is_heard_of_a_card_that_is_held_since() -> None:
    """It was sent by then: what the card said to it is the truth, whoever holds it."""
    history = PukHistory(PukStory("due, changed", (C,), Known.DUE))
    world = history.world
    world.authority.after("puk_plan", lambda: world.operate("alice", Event.SUSPEND))
    history.attempt()
    assert history.is_at_rest()


def test_a_wrong_puk_has_changed_nothing_though_nobody_hears_of_it() -> None:
    """The kiosk was started anew meanwhile, and has ended what it found."""
    history = PukHistory(PukStory("another's PUK", (U,)))
    card, world = history.holder.made.card, history.world
    card.references.puk.replace(b"75318642")
    card.set_tries(pin=0)

    def started_anew() -> None:
        world.authority.port.open(
            OpenRequest(
                card=history.holder.made.identity.key, seen=history.seen(LIMITS)
            )
        )

    result = history.attempt(lambda it: it.authority.before("puk_wrong", started_anew))
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert history.card_pin() == OLD
