"""A PUK that is due is replaced before the PIN is touched, and by whom it may be.

That takes a card a while, so what was said before it may be old when the PIN's turn
comes. And a holder who knows the PUK keeps it: nobody replaces it behind their back.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from lab.cards import admin_key_person
from lab.cards.admin_key_person import Person
from lab.cards.puk_histories import DIGITS, FACTORY, C, PukHistory, PukStory, U
from lab.histories import OLD, History, Story
from lab.liar import Liar, named
from msgspec.structs import replace as changed

from kiosk.authority.escrow import puks
from kiosk.authority.office.list_values import Worklist
from kiosk.authority.office.tally import waits_in
from kiosk.core.errors import Message
from kiosk.simulation.cards.faults import WrongStatus
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import GidsOptions, PivOptions
from kiosk.simulation.interference import die
from kiosk.texts import sentence
from kiosk.visit.views import Outcome, Result
from statemachine.lifecycle import Event
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import Escrow, ImportedPuk, Sync, UnblockMethod

DUE = PukStory("due, changed", (C,), Known.DUE)
BOTH = (UnblockMethod.RELEASE_CODE, UnblockMethod.HOLDER_PUK)
TELLS_WHEN_ASKED = PivOptions(version=b"\x05\x04\x03")
"""Not a word of its PUK when it comes in: it has no serial number by which it would be
known for a card that tells."""


def facts(result: Result | None) -> set[str]:
    assert result is not None
    return {fact.key for fact in result.facts}


def escrow(history: History) -> Escrow:
    return history.world.credential("alice").escrow


def keep(history: History, *, known: Known = Known.DUE, left: int = 3) -> None:
    """Let the record say that of the PUK."""
    own = history.holder.credential
    history.world.registry.run(
        lambda tx: tx.save_credential(
            changed(
                tx.credential(own),
                escrow=changed(tx.credential(own).escrow, known=known, left=left),
            )
        )
    )


def begun(history: History) -> int:
    """How often a new PUK was about to be sent."""
    kinds = [event.kind for event in history.world.registry.audit_events()]
    return kinds.count("escrow.rotation_begun")


def has_its_first_puk(history: History) -> bool:
    return bool(history.holder.made.card.has_puk(bytes(history.puk.reveal())))


# --- before the PIN -------------------------------------------------------------------


def test_who_is_suspended_while_the_puk_is_replaced_keeps_the_pin() -> None:
    """The authority is asked once more, although it has just taken the proof."""
    history = PukHistory(DUE)
    result = history.attempt(
        lambda world: world.authority.after(
            "puk_replaced", lambda: world.operate("alice", Event.SUSPEND)
        )
    )
    assert result is not None
    assert result.headline.key == "stop.suspended"
    assert history.card_pin() == OLD
    assert history.world.directory.writes == []


def test_a_kiosk_that_dies_while_the_puk_is_replaced_has_changed_no_pin() -> None:
    """Card and password are as they were, and the record says so."""
    history = PukHistory(DUE)
    history.attempt(lambda world: world.authority.before("puk_replaced", die))
    history.look()
    assert history.agrees()
    assert history.sync() is Sync.IN_STEP


# --- whose PUK it is ------------------------------------------------------------------


def test_a_holders_own_puk_is_not_said_to_be_due() -> None:
    """The template was another one when it became due."""
    story = replace(named("change"), unblock=(UnblockMethod.HOLDER_PUK,))
    history = History(story)
    keep(history)
    result = history.attempt()
    assert "result.fact.puk_due" not in facts(result)
    assert has_its_first_puk(history)


def test_a_puk_that_its_holder_may_know_stays_after_a_release() -> None:
    history = History(replace(named("unblock"), unblock=BOTH))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert has_its_first_puk(history)
    assert "result.fact.puk_due" not in facts(result)


def test_no_station_gets_a_new_puk_for_a_card_whose_holder_may_know_it() -> None:
    history = History(replace(named("change"), unblock=BOTH))
    keep(history)
    liar = Liar(history, Kind.CHANGE)
    liar.prove_card()
    assert liar.port.puk_plan(liar.id, None) is None
    assert escrow(history).known is Known.DUE


# --- what proves a card ---------------------------------------------------------------


def test_a_puk_that_was_released_is_replaced_where_only_the_card_changes() -> None:
    """A card without a key that signs by itself, and nothing that it has to sign."""
    history = History(named("unblock, no 9E"))
    history.domain.change_account(history.holder.account_guid, enabled=False)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.CARD_ONLY
    assert "result.fact.puk_due" not in facts(result)
    assert escrow(history).known is Known.CURRENT
    assert not has_its_first_puk(history)


def test_a_card_that_can_prove_nothing_is_not_said_to_have_tried() -> None:
    """It has no key for that: a proof that failed would be somebody's copy of it."""
    history = History(replace(named("change"), proves_itself=False))
    history.domain.change_account(history.holder.account_guid, enabled=False)
    keep(history)
    result = history.attempt()
    assert "result.fact.puk_due" in facts(result)
    kinds = {event.kind for event in history.world.registry.audit_events()}
    assert "escrow.proof_failed" not in kinds


# --- how often ------------------------------------------------------------------------


def test_a_new_puk_that_may_be_there_costs_no_form_and_is_not_sent_again() -> None:
    """The card takes digits alone, and nobody heard so: a second no does not tell which
    of both it has. The next unblock does, and two forms are left then.
    """
    history = PukHistory(PukStory("digits alone", (U,), options=DIGITS))
    history.visit(U, lambda world: world.authority.before("puk_new_refused", die))
    assert puks.of(history.escrow).known is Known.PENDING
    not_taken = WrongStatus(ins=0x24, sw=0x6A80)
    history.visit(Kind.FINISH, lambda world: world.readers.faults.set(not_taken))
    assert history.is_kept()
    assert len(history.kept()) == 2
    assert begun(history) == 3, "with each of both in place of the first, and no more"
    assert escrow(history).forms_refused == 0
    history.visit(U)
    assert history.is_at_rest()


def test_a_card_that_tells_only_when_it_is_asked_is_asked() -> None:
    """By our own count a wrong PUK could be the last one; the card knows better."""
    history = History(Story("unblock", U, tries=0, options=TELLS_WHEN_ASKED))
    keep(history, known=Known.CURRENT, left=1)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE


# --- cards that take no other ---------------------------------------------------------


class OfFactory(Person):
    """Somebody whose GIDS card has the factory's PUK, which a release code lets out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = partial(make_gids_card, puk=FACTORY)
        monkeypatch.setattr(admin_key_person, "make_gids_card", made)
        tells_nothing = GidsOptions(puk_tries=3)
        super().__init__(UnblockMethod.RELEASE_CODE, key=None, options=tells_nothing)
        self.keep(puks.said(ImportedPuk.FACTORY, None))

    def keep(self, escrow: Escrow) -> None:
        own = self.world.holders["alice"].credential
        self.world.registry.run(
            lambda tx: tx.save_credential(changed(tx.credential(own), escrow=escrow))
        )

    def unblocked(self) -> Result:
        self.chip.set_tries(pin=0)
        result = self.unblock_online()
        self.world.clock.sleep(200.0)
        return result

    def told(self) -> list[str]:
        return [event.kind for event in self.world.registry.audit_events()]


def test_a_card_that_takes_no_other_puk_is_sent_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A GIDS card has no command for it: each one that was begun cost a try later."""
    person = OfFactory(monkeypatch)
    for _ in range(2):
        result = person.unblocked()
        assert result.outcome is Outcome.DONE
        assert "result.fact.puk_due" not in facts(result)
    assert person.told().count("escrow.puk_sent") == 2
    assert "escrow.rotation_begun" not in person.told()
    assert "puk_plan" not in person.world.authority.calls
    assert person.chip.puk_tries_left == 3


def test_no_station_gets_a_new_puk_for_a_card_that_takes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It asks all the same, and dies: the next unblock sends one PUK as ever."""
    person = OfFactory(monkeypatch)
    port, asked = person.world.authority.port, []
    person.world.authority.before(
        "write", lambda: asked.append(port.puk_plan(operation(person), None))
    )
    person.unblocked()
    assert asked == [None]
    before = person.told().count("escrow.puk_sent")
    person.unblocked()
    assert person.told().count("escrow.puk_sent") == before + 1
    assert person.chip.puk_tries_left == 3


def operation(person: Person) -> str:
    """Which one is under way."""
    events = person.world.registry.audit_events()
    return [each.operation for each in events if each.kind == "operation.prepared"][-1]


@pytest.mark.parametrize("family", ["piv", "gids", "pkcs11"])
@pytest.mark.parametrize("known", [Known.FACTORY, Known.EXPOSED, Known.DUE])
def test_a_puk_is_said_to_be_replaced_where_its_card_takes_another(
    family: str, known: Known
) -> None:
    history = History(named("change"))
    keep(history, known=known)
    one = history.world.credential("alice")
    credential = changed(
        one,
        card=f"{family}:guid:01",
        escrow=changed(one.escrow, forms_refused=1),
    )
    template = history.world.registry.read(lambda view: view.template("staff"))
    takes = family == "piv"
    assert puks.may_be_replaced(template, credential) is takes
    assert puks.waits(credential) is takes
    assert (Worklist.ROTATION_DUE in waits_in(credential)) is takes
    said = sentence(Message(puks.sentence(credential)))
    assert ("replaced at the next visit" in said) is takes
