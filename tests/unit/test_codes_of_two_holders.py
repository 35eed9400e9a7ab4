"""What is typed beside a card that proves itself is its own: others type on."""

from __future__ import annotations

from lab.histories import NEW, OLD, History
from lab.liar import named

from kiosk.authority.escrow import approvals
from kiosk.core.secret import Secret
from kiosk.pin.codes import new_code
from kiosk.simulation.cards.factory import MadeCard
from kiosk.visit.views import Answers, FieldName
from statemachine.operation import Kind


def typed(history: History, made: MadeCard, code: Secret) -> str:
    """Type a code at the one kiosk; return how that ended."""
    history.world.readers.pull()
    made.card.set_tries(pin=0)
    visit = history.world.visit(history.world.readers.insert(made.card))
    visit.recognise()
    form = visit.begin(Kind.UNBLOCK)
    values = {FieldName.RELEASE_CODE: code, FieldName.NEW_PIN: Secret(NEW)}
    return visit.submit(form, Answers(values), lambda step: None).headline.key


def without_a_key(history: History) -> MadeCard:
    """Bob's card, which cannot prove itself."""
    world = history.world
    guid = world.directory.add_account("bob", password=Secret(OLD))
    made, puk = world.make_card("Bob", pin=OLD, with_card_authentication=False)
    world.register("bob", made, puk, account_guid=guid, template="staff")
    return made


def test_who_mistypes_beside_a_card_that_proves_itself_keeps_nobody_waiting() -> None:
    history = History(named("unblock"))
    world, alice, bob = history.world, history.holder.made, without_a_key(history)
    world.release_code("alice")
    for _ in range(approvals.WRONG_ENTRIES):
        wrong = new_code(world.entropy)
        assert typed(history, alice, wrong) == "authority.code_refused"
    code = world.release_code("bob")
    assert typed(history, bob, code) == "result.headline.unblock"
