"""Unblocking by a card's administrator key: online, and answered by telephone."""

from __future__ import annotations

import pytest
from lab.cards.admin_key_person import NEW, ONLINE, PHONE, PIN, Person

from kiosk.authority.errors import Refused
from kiosk.cards import tlv
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import PullAfter, PullBefore
from kiosk.simulation.cards.gids_admin import GidsAdminKey
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import GidsOptions
from kiosk.simulation.domain_faults import Frozen
from kiosk.simulation.interference import die
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import Sync, UnblockMethod

# --- online -------------------------------------------------------------------


def test_card_and_authority_prove_the_key_and_the_password_follows() -> None:
    person = Person(ONLINE)
    form = person.form()
    assert form.fields == (FieldName.RELEASE_CODE, FieldName.NEW_PIN)
    code = person.world.release_code("alice")
    result = person.submit(form, release_code=code)
    assert result.outcome is Outcome.DONE, result
    assert person.is_in_step()
    assert person.world.credential("alice").state is State.ACTIVE
    kinds = [event.kind for event in person.world.registry.audit_events()]
    assert "escrow.admin_key_used" in kinds
    assert "escrow.card_proven" in kinds


class Mirror(GidsAdminKey):
    """A card without the key: it answers with what it was sent."""

    said = b""
    first, last = 0, 16
    """Which of our bytes are in its challenge; the others are its own."""

    def authenticate(self, data: bytes) -> bytes:
        inner = tlv.need(data, 0x7C, "command")
        if (proof := tlv.find(inner, 0x82, "command")) is not None:
            self.is_authenticated = True
            return tlv.pack(0x7C, tlv.pack(0x82, proof))
        ours = tlv.need(inner, 0x81, "command")
        own = bytes(range(16))
        said = own[: self.first] + ours[self.first : self.last] + own[self.last :]
        return tlv.pack(0x7C, tlv.pack(0x81, said))


@pytest.mark.parametrize(("first", "last"), [(0, 16), (0, 8), (8, 16)])
def test_a_card_that_mirrors_our_challenge_proves_nothing(
    first: int, last: int
) -> None:
    person = Person(ONLINE)
    mirror = Mirror(person.world.entropy, bytes(24), 0)
    mirror.first, mirror.last = first, last
    person.chip.admin = mirror
    result = person.unblock_online()
    assert result.headline.key == "authority.proof_failed"
    assert person.chip.has_pin(PIN)
    kinds = [event.kind for event in person.world.registry.audit_events()]
    assert "escrow.card_proven" not in kinds
    assert "escrow.admin_key_used" not in kinds, "a mirror gets no proof of ours"


def test_without_a_release_code_the_key_is_never_used() -> None:
    person = Person(ONLINE)
    form = person.form()
    with pytest.raises(KeyError):
        person.submit(form)
    import dataclasses

    sly = dataclasses.replace(form, fields=(FieldName.NEW_PIN,))
    result = person.submit(sly)
    assert result.headline.key == "stop.code_first"
    assert person.chip.has_pin(PIN)
    kinds = [event.kind for event in person.world.registry.audit_events()]
    assert "escrow.admin_key_used" not in kinds


def test_a_forged_card_with_the_same_name_gets_nothing() -> None:
    person = Person(ONLINE)
    forged = make_gids_card(
        person.world.entropy, subject="alice", pin=PIN, admin_key=bytes(23) + b"\1"
    )
    for fid, dos in person.chip.files.items():
        forged.card.files[fid] = dict(dos)
    forged.card.set_tries(pin=0)
    person.chip = forged.card
    result = person.unblock_online()
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.wrong_admin_key"
    assert person.world.directory.writes == []
    assert person.world.credential("alice").sync is Sync.IN_STEP


def test_without_the_key_on_record_the_way_is_not_offered() -> None:
    home = Person(ONLINE, key=None).home()
    unblock = next(each for each in home.actions if each.kind is Kind.UNBLOCK)
    assert not unblock.allowed


@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
def test_a_card_pulled_at_every_apdu_comes_home(
    fault: type[PullBefore | PullAfter],
) -> None:
    whole = Person(ONLINE)
    form = whole.form()
    code = whole.world.release_code("alice")
    whole.world.readers.faults.set()
    whole.submit(form, release_code=code)
    count = whole.world.readers.faults.count
    assert count > 8
    for at in range(1, count + 1):
        person = Person(ONLINE)
        form = person.form()
        code = person.world.release_code("alice")
        person.world.readers.faults.set(fault(at=at))
        person.submit(form, release_code=code)
        person.world.readers.faults.set()
        person.world.restart()
        home = person.home()
        if person.chip.has_pin(NEW) and not person.is_in_step():
            assert home.sync is Sync.OUT_OF_STEP, at
            form = person.visit.begin(Kind.FINISH)
            typed = {FieldName.CURRENT_PIN: Secret(NEW)}
            person.visit.submit(form, Answers(typed), lambda step: None)
        elif not person.chip.has_pin(NEW):
            assert person.unblock_online().outcome is Outcome.DONE, at
        assert person.is_in_step(), at


@pytest.mark.parametrize("step", ["admin_challenge", "admin_proof", "admin_proven"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_in_between_leaves_nothing_half(
    step: str, when: str
) -> None:
    from kiosk.simulation.interference import ProcessDied

    person = Person(ONLINE)
    form = person.form()
    code = person.world.release_code("alice")
    getattr(person.world.authority, when)(step, die)
    with pytest.raises(ProcessDied):
        person.submit(form, release_code=code)
    assert person.chip.has_pin(PIN)
    person.world.restart()
    assert person.unblock_online().outcome is Outcome.DONE
    assert person.is_in_step()


# --- by telephone ---------------------------------------------------------------


def test_the_helpdesk_answers_the_challenge_on_the_screen() -> None:
    person = Person(PHONE)
    form = person.form()
    assert form.fields == (FieldName.ADMIN_RESPONSE, FieldName.NEW_PIN)
    assert "notice.card_held" in [notice.key for notice in form.notices]
    response = person.answered(form)
    result = person.submit(form, admin_response=response)
    assert result.outcome is Outcome.DONE, result
    assert person.is_in_step()
    kinds = [event.kind for event in person.world.registry.audit_events()]
    assert "approval.challenge_answered" in kinds


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE])
def test_a_card_that_was_held_since_the_page_was_opened_gets_no_answer(
    event: Event,
) -> None:
    person = Person(PHONE)
    form = person.form()
    page = person.world.credential("alice")
    person.world.operate("alice", event)
    with pytest.raises(Refused):
        person.answered(form, page)
    kinds = [each.kind for each in person.world.registry.audit_events()]
    assert "approval.challenge_answered" not in kinds


def test_between_challenge_and_answer_the_card_hears_nothing() -> None:
    person = Person(PHONE)
    form = person.form()
    before = list(person.chip.commands)
    response = person.answered(form)
    assert person.chip.commands == before
    person.submit(form, admin_response=response)


def test_an_answer_that_was_misheard_never_reaches_the_card() -> None:
    person = Person(PHONE, options=GidsOptions(admin_tries=5))
    form = person.form()
    result = person.submit(form, admin_response=Secret(b"12345 " * 5))
    assert result.headline.key == "authority.code_mistyped"
    assert person.chip.admin.left == 5
    assert person.world.credential("alice").sync is Sync.IN_STEP


def test_a_wrong_answer_changes_nothing_and_says_that_it_may_count() -> None:
    person = Person(PHONE)
    form = person.form()
    result = person.submit(form, admin_response=Secret(b"00112233 44556677"))
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.wrong_admin_key"
    assert person.chip.has_pin(PIN)
    assert person.world.credential("alice").sync is Sync.IN_STEP


def test_going_back_ends_the_challenge() -> None:
    person = Person(PHONE)
    form = person.form()
    response = person.answered(form)
    person.visit.leave()
    again = person.visit.begin(Kind.UNBLOCK)
    assert again.challenge is not None
    assert form.challenge is not None
    assert again.challenge.spoken != form.challenge.spoken
    result = person.submit(again, admin_response=response)
    assert result.headline.key == "card.wrong_admin_key"


def test_a_card_taken_out_while_somebody_telephones_ends_it() -> None:
    person = Person(PHONE)
    form = person.form()
    response = person.answered(form)
    person.world.readers.pull()
    result = person.submit(form, admin_response=response)
    assert result.outcome in (Outcome.REFUSED, Outcome.OUT_OF_STEP)
    assert person.chip.has_pin(PIN)


def test_the_directory_that_is_silent_leaves_it_out_of_step_never_undone() -> None:
    person = Person(PHONE)
    form = person.form()
    response = person.answered(form)
    person.world.directory.fail(Frozen(applied=False))
    result = person.submit(form, admin_response=response)
    assert result.outcome is Outcome.OUT_OF_STEP
    assert person.chip.has_pin(NEW)
    assert person.world.credential("alice").sync is Sync.OUT_OF_STEP


@pytest.mark.parametrize("methods", [(ONLINE, PHONE), (PHONE, ONLINE)])
def test_online_goes_before_the_telephone(methods: tuple[UnblockMethod, ...]) -> None:
    assert Person(*methods).form().challenge is None
