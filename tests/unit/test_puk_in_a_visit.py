"""Which answers of a card lead to its second PUK, and what a card that leaves means.

A card says of one RESET RETRY COUNTER that it has another PUK, or that it does not take
a value: the PIN, or the form of that PUK. Only where the next PUK could be the cure is
it sent; and a card that is gone is gone, whatever it was doing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import cast

import pytest
from lab.cards.puk_histories import DIGITS, PukHistory, PukStory, U
from msgspec.structs import replace

from kiosk.authority.escrow import puks
from kiosk.cards import status
from kiosk.cards.errors import CardRemoved
from kiosk.cards.piv.session import PivSession
from kiosk.cards.ports import CardSession
from kiosk.cards.values import PukTold, Tries
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import AnyCardFault, WrongStatus
from kiosk.simulation.cards.framing import Status
from kiosk.simulation.cards.references import PUK
from kiosk.simulation.interference import die
from kiosk.visit.puk import tries_told
from kiosk.visit.run import Run
from kiosk.visit.views import Outcome, Result
from statemachine.candidates import TRIES, Label
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import Sync

TOO_SIMPLE, NOT_TAKEN = (WrongStatus(ins=0x2C, sw=sw) for sw in (0x6985, 0x6A80))


def cut_while_replaced(*, set_aside: bool = False) -> PukHistory:
    """A card that has its old PUK, while the new one may be on it, says the record."""
    history = PukHistory(PukStory("cut while replaced", (U, U)))
    history.visit(U, lambda world: world.authority.before("puk_replaced", die))
    history.holder.made.card.references.puk.replace(history.kept()[1])
    assert puks.of(history.escrow).known is Known.PENDING
    history.keep(replace(history.escrow, pending_set_aside=set_aside))
    history.holder.made.card.set_tries(puk=TRIES)
    return history


def unblocked(history: PukHistory, *faults: AnyCardFault) -> tuple[Result, list[str]]:
    """Unblock it; return the result, and what was written down of each PUK."""
    history.holder.made.card.set_tries(pin=0)
    before = len(list(history.world.registry.audit_events()))
    result = history.attempt(lambda world: world.readers.faults.set(*faults))
    assert result is not None
    events = list(history.world.registry.audit_events())[before:]
    told = [each.kind for each in events if each.kind.startswith("escrow.puk_")]
    return result, told


def tries(history: PukHistory) -> int:
    left: int = history.holder.made.card.puk_tries_left
    return left


@pytest.mark.parametrize("set_aside", [False, True], ids=["new", "old"])
def test_a_pin_that_the_card_finds_too_simple_costs_one_puk(set_aside: bool) -> None:
    """Another PUK makes the PIN no better: none leaves the authority for it."""
    history = cut_while_replaced(set_aside=set_aside)
    result, told = unblocked(history, TOO_SIMPLE)
    assert result.outcome is Outcome.REFUSED
    assert told == ["escrow.puk_sent", "escrow.puk_unheard"]
    assert tries(history) == TRIES


def test_a_value_that_is_not_taken_with_the_puk_that_the_card_had_is_the_pin() -> None:
    """What it had is of a form that it takes: the new PUK would only be a wrong one."""
    history = cut_while_replaced(set_aside=True)
    assert puks.of(history.escrow).remaining() == (Label.CURRENT, Label.PENDING)
    result, told = unblocked(history, NOT_TAKEN)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.pin_refused"
    assert told == ["escrow.puk_sent", "escrow.puk_unheard"]
    assert tries(history) == TRIES


def test_a_value_that_is_not_taken_with_the_new_puk_may_be_that_puk() -> None:
    """It may be of a form that this card never takes: what it had is sent after it."""
    history = cut_while_replaced()
    result, told = unblocked(history, NOT_TAKEN)
    assert result.outcome is Outcome.DONE
    sent = ["escrow.puk_sent", "escrow.puk_unheard", "escrow.puk_sent"]
    assert told == [*sent, "escrow.puk_taken"]


def test_each_of_the_two_is_sent_once_in_a_visit() -> None:
    """Where the card has a third: the one that it did not compare comes not again."""
    history = cut_while_replaced()
    history.holder.made.card.references.puk.replace(b"75318642")
    result, told = unblocked(history, NOT_TAKEN)
    assert result.outcome is Outcome.REFUSED
    sent = ["escrow.puk_sent", "escrow.puk_unheard", "escrow.puk_sent"]
    assert told == [*sent, "escrow.puk_wrong"]
    assert tries(history) == TRIES - 1


def test_a_puk_that_is_wrong_leads_to_the_other_one() -> None:
    history = cut_while_replaced()
    result, told = unblocked(history)
    assert result.outcome is Outcome.DONE
    sent = ["escrow.puk_sent", "escrow.puk_wrong", "escrow.puk_sent"]
    assert told == [*sent, "escrow.puk_taken"]


def test_where_there_is_no_other_the_card_has_the_last_word() -> None:
    """It is asked for the next one, and there is none: that is not what went wrong."""
    history = PukHistory(PukStory("another's", (U,)))
    history.holder.made.card.references.puk.replace(b"75318642")
    result, told = unblocked(history)
    assert result.headline.key == "card.wrong_puk"
    assert told == ["escrow.puk_sent", "escrow.puk_wrong"]


def test_a_new_puk_that_the_card_has_refused_is_never_the_new_one_again() -> None:
    """It has left the authority, and whoever saw it then would know the next one."""
    history = cut_while_replaced()
    refused, _ = history.kept()
    history.visit(Kind.FINISH)
    assert history.is_at_rest()
    assert history.kept() != [refused]


def test_what_the_card_had_is_kept_where_the_new_puk_cannot_replace_itself() -> None:
    """The card does not take it as new, and may have what it had: nobody knows yet."""
    history = cut_while_replaced()
    refuses = WrongStatus(ins=0x24, sw=0x6A80)
    history.visit(Kind.FINISH, lambda world: world.readers.faults.set(refuses))
    assert history.is_at_rest()


def test_a_new_puk_that_must_be_there_is_kept_though_it_cannot_replace_itself() -> None:
    """The card has refused the one before it, and takes no value as new."""
    history = cut_while_replaced(set_aside=True)
    _, new = history.kept()
    history.holder.made.card.references.puk.replace(new)
    not_taken = WrongStatus(ins=0x24, sw=0x6A80)
    history.visit(
        Kind.FINISH,
        lambda world: world.authority.after(
            "puk_not_replaced", lambda: world.readers.faults.set(not_taken)
        ),
    )
    kinds = [event.kind for event in history.world.registry.audit_events()]
    assert "escrow.new_puk_refused" in kinds
    assert history.is_kept()
    assert len(history.kept()) == 1


def not_heard() -> PukHistory:
    """A card that has its new PUK, and nobody heard so."""
    history = PukHistory(PukStory("not heard", (U, U)))
    history.visit(U, lambda world: world.authority.before("puk_replaced", die))
    assert history.holder.made.card.has_puk(history.kept()[0])
    return history


def test_two_noes_to_other_things_lose_no_puk_that_the_card_may_have() -> None:
    """A reader, or a card without contact, that lets no PUK be changed at all."""
    history = not_heard()
    no = WrongStatus(ins=0x24, sw=0x6A81)
    for _ in range(2):
        history.visit(Kind.CHANGE, lambda world: world.readers.faults.set(no))
        assert history.is_kept()
        assert len(history.kept()) == 2
    history.visit(U)
    assert history.is_at_rest()


def test_a_card_that_never_takes_the_puk_that_it_has_is_sent_it_once_as_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says so before it compares anything, so its no does not tell what it has."""
    history = not_heard()
    references = history.holder.made.card.references
    change: Callable[[int, bytearray], bytes] = references.change

    def takes_no_puk_twice(reference: int, data: bytearray) -> bytes:
        if reference == PUK and references.puk.is_value(data[8:]):
            raise Status(status.WRONG_DATA)
        return change(reference, data)

    monkeypatch.setattr(references, "change", takes_no_puk_twice)
    before = begun(history)
    history.visit(Kind.FINISH)
    assert history.is_kept()
    assert begun(history) == before + 2, "in place of itself, and of what was there"
    history.visit(U)
    assert history.is_at_rest()


def test_a_new_puk_that_cannot_replace_itself_costs_no_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The card compares first, and tells by that which of both it has."""
    history = not_heard()
    references = history.holder.made.card.references
    change: Callable[[int, bytearray], bytes] = references.change

    def takes_another(reference: int, data: bytearray) -> bytes:
        is_right = references.puk.is_value(data[:8])
        if reference == PUK and is_right and references.puk.is_value(data[8:]):
            raise Status(status.WRONG_DATA)
        return change(reference, data)

    monkeypatch.setattr(references, "change", takes_another)
    history.visit(Kind.FINISH)
    assert history.is_at_rest()


# --- a card that leaves while its PUK is replaced ------------------------------


def gone(_session: PivSession, old: Secret, new: Secret) -> None:
    del old, new
    raise CardRemoved(reader="kiosk")


def leaving(history: PukHistory, monkeypatch: pytest.MonkeyPatch) -> Result | None:
    monkeypatch.setattr(PivSession, "change_puk", gone)
    return history.attempt()


def test_a_card_that_leaves_before_its_pin_is_touched_was_not_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its PUK came first, and stays due: nothing else was begun on it."""
    history = PukHistory(PukStory("due, changed", (Kind.CHANGE,), Known.DUE))
    result = leaving(history, monkeypatch)
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.removed"
    assert "card_changing" not in history.world.authority.calls
    assert history.sync() is Sync.IN_STEP
    assert history.is_in_step()


def test_a_card_that_leaves_once_it_has_its_new_pin_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only its PUK is left to do, at the next visit."""
    story = PukStory("unblocked, card only", (U,), follows=False)
    history = PukHistory(story)
    history.holder.made.card.set_tries(pin=0)
    result = leaving(history, monkeypatch)
    assert result is not None
    assert result.outcome is Outcome.CARD_ONLY
    assert "result.fact.puk_due" in {fact.key for fact in result.facts}


def test_what_the_card_took_is_written_down_before_it_is_replaced() -> None:
    """In the order in which it happened: else it could not have, says the table."""
    history = PukHistory(PukStory("unblocked, card only", (U,), follows=False))
    result, told = unblocked(history)
    assert result.outcome is Outcome.CARD_ONLY
    assert told == ["escrow.puk_sent", "escrow.puk_taken"]
    assert history.is_at_rest()


def begun(history: PukHistory) -> int:
    """How often a new PUK was about to be sent."""
    kinds = [event.kind for event in history.world.registry.audit_events()]
    return kinds.count("escrow.rotation_begun")


def test_a_card_that_takes_digits_alone_gets_them_in_the_same_visit() -> None:
    history = PukHistory(PukStory("digits alone", (U,), options=DIGITS))
    result, _ = unblocked(history)
    assert result.outcome is Outcome.DONE
    assert begun(history) == 2
    assert history.is_at_rest()


def test_a_card_whose_puk_cannot_be_changed_is_asked_once() -> None:
    history = PukHistory(PukStory("cannot", (U,)))
    result, _ = unblocked(history, WrongStatus(ins=0x24, sw=0x6D00))
    assert result.outcome is Outcome.DONE
    assert "result.fact.puk_due" in {fact.key for fact in result.facts}
    assert begun(history) == 1


# --- how often the card is taken ------------------------------------------------


def test_where_no_password_follows_puk_and_pin_are_changed_in_one_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no proof to be judged, so nobody is waited for in between."""
    story = PukStory("due, card only", (Kind.CHANGE,), Known.DUE, follows=False)
    history = PukHistory(story)
    session, held = Run.session, []

    def counted(run: Run) -> AbstractContextManager[CardSession]:
        held.append(run.operation)
        return session(run)

    monkeypatch.setattr(Run, "session", counted)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.CARD_ONLY
    assert puks.of(history.escrow).known is Known.CURRENT
    assert len([operation for operation in held if operation]) == 1


# --- what the card tells of its PUK ---------------------------------------------


@pytest.mark.parametrize(
    ("recognised", "is_uncertain", "card", "told", "is_asked"),
    [
        (2, True, 3, 2, False),
        (None, True, 3, 3, True),
        (None, True, None, None, True),
        (None, False, 3, None, False),
    ],
)
def test_a_card_is_asked_for_its_puk_tries_where_it_matters_and_not_twice(
    *,
    recognised: int | None,
    is_uncertain: bool,
    card: int | None,
    told: int | None,
    is_asked: bool,
) -> None:
    """Where one may be left, by our count, and it has not said so already."""
    asked = []

    def puk_tries() -> PukTold | None:
        asked.append("puk_tries")
        return None if card is None else PukTold(Tries(card))

    run = SimpleNamespace(
        recognised=SimpleNamespace(
            puk_tries=None if recognised is None else Tries(recognised)
        ),
        prepared=SimpleNamespace(puk_uncertain=is_uncertain),
    )
    session = SimpleNamespace(puk_tries=puk_tries)
    assert tries_told(cast("Run", run), cast("CardSession", session)) == told
    assert bool(asked) is is_asked
