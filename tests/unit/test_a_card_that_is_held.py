"""A card that waits for an answer by telephone is nobody else's; then it is let go."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from lab.cards.admin_key_person import PHONE, Person

from kiosk.core.secret import Secret
from kiosk.pin.challenges import heard
from kiosk.simulation.cards.reader import READER, SimulatedReaders
from kiosk.visit.views import Answers, FieldName, Form, Outcome
from statemachine.operation import Kind


def is_free(person: Person) -> bool:
    """Whether another program could use the card now."""
    readers = person.world.readers
    assert isinstance(readers, SimulatedReaders)
    slot = readers._slots[READER]
    taken: list[bool] = []

    def take() -> None:
        taken.append(slot.transaction.acquire(blocking=False))
        if taken[0]:
            slot.transaction.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken[0]


def misheard(person: Person, form: Form) -> None:
    result = person.submit(form, admin_response=Secret(b"12345 " * 5))
    assert result.headline.key == "authority.code_mistyped"


def unconfirmed(person: Person, form: Form) -> None:
    """A form that was not shown: nothing of it is done."""
    typed = {FieldName.OLD_PIN: Secret(b"2718"), FieldName.NEW_PIN: Secret(b"3141")}
    other = person.visit.submit(
        form.__class__(
            kind=Kind.CHANGE,
            fields=tuple(typed),
            rules=form.rules,
            old_limits=form.old_limits,
            tries=form.tries,
            password_follows=form.password_follows,
            notices=(),
            confirm=None,
        ),
        Answers(typed),
        lambda step: None,
    )
    assert other.outcome is Outcome.REFUSED


ENDS: dict[str, Callable[[Person, Form], object]] = {
    "another form": lambda person, form: person.visit.begin(Kind.CHANGE),
    "going back": lambda person, form: person.visit.leave(),
    "a look at the card": lambda person, form: person.visit.recognise(),
    "the end of the visit": lambda person, form: person.visit.close(),
    "an answer that was misheard": misheard,
    "a form that was not shown": unconfirmed,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_card_is_held_until_the_answer_or_anything_else(end: str) -> None:
    person = Person(PHONE, tries=3)
    form = person.form()
    assert not is_free(person), "somebody else could ask it in between"
    ENDS[end](person, form)
    assert is_free(person), "it is held, and nobody waits for it"


def test_a_card_is_let_go_before_its_password_is_written() -> None:
    """Nobody keeps it while the directory thinks."""
    person = Person(PHONE)
    form = person.form()
    answer = person.answered(form)
    seen: list[bool] = []
    person.world.authority.before("write", lambda: seen.append(is_free(person)))
    assert person.submit(form, admin_response=answer).outcome is Outcome.DONE
    assert seen == [True]


@pytest.mark.parametrize("right", [True, False])
def test_an_answer_that_was_heard_is_wiped(
    monkeypatch: pytest.MonkeyPatch, *, right: bool
) -> None:
    kept: list[bytearray] = []

    def remembering(typed: Secret) -> bytearray | None:
        block = heard(typed)
        assert block is not None
        kept.append(block)
        return block

    monkeypatch.setattr("kiosk.visit.unblock.heard", remembering)
    person = Person(PHONE)
    form = person.form()
    answer = person.answered(form) if right else Secret(b"00112233 44556677")
    result = person.submit(form, admin_response=answer)
    assert (result.outcome is Outcome.DONE) is right
    assert kept == [bytearray(8)]
