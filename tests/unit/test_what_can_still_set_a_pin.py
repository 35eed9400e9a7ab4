"""What can still set a card's PIN is offered, and what cannot is not begun."""

from __future__ import annotations

from dataclasses import replace

from lab.cards.puk_histories import PukHistory
from lab.histories import OLD, TRANSPORT, History
from lab.liar import named
from msgspec.structs import replace as changed

from kiosk.authority.escrow import puks
from kiosk.simulation.cards.options import of_yubikey
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.candidates import TRIES
from statemachine.operation import Kind
from statemachine.puk import Known


def test_a_card_that_tells_that_its_puk_is_blocked_is_not_sent_one() -> None:
    history = History(replace(named("unblock"), options=of_yubikey(5_417_533)))
    history.holder.made.card.set_tries(pin=0, puk=0)
    assert history.why_not(Kind.UNBLOCK) == "refusal.no_unblock_way"


def test_a_holders_last_try_at_their_puk_is_the_helpdesks_to_give() -> None:
    """Its code is asked for before anything is typed, and lets the try be spent."""
    history = History(named("unblock, holder's PUK"))
    own = history.holder.credential
    history.world.registry.run(
        lambda tx: tx.save_credential(
            changed(
                tx.credential(own),
                escrow=changed(tx.credential(own).escrow, known=Known.CURRENT, left=1),
            )
        )
    )
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    form = visit.begin(Kind.UNBLOCK)
    assert form.fields == (FieldName.RELEASE_CODE, FieldName.PUK, FieldName.NEW_PIN)
    values = {name: history._typed(name) for name in form.fields}
    values[FieldName.RELEASE_CODE] = PukHistory.last_try_code(history, "alice")  # type: ignore[arg-type]  # as an operator who was warned
    result = visit.submit(form, Answers(values), lambda step: None)
    assert result.outcome is Outcome.DONE
    assert history.card_pin() != OLD
    assert puks.of(history.world.credential("alice").escrow).left == TRIES


def test_a_first_pin_that_nobody_keeps_is_not_handed_out() -> None:
    """The card was personalised elsewhere, and its transport PIN went by letter."""
    history = History(named("activate by code"))
    own = history.holder.credential
    history.world.registry.run(
        lambda tx: tx.save_credential(
            changed(tx.credential(own), transport_pin_sealed="")
        )
    )
    result = history.attempt()
    assert result is not None
    assert result.headline.key == "stop.nothing_in_escrow"
    assert history.card_pin() == TRANSPORT
