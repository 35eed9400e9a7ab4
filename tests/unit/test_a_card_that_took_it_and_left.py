"""A card that took a command and left before it said so: nobody says "nothing changed".

Whoever types where, and whatever was sent: the card is asked at its next visit, and
until then the record says that it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import pytest
from lab.histories import NEW, OLD, History
from lab.liar import named

from kiosk.authority.errors import AuthorityAway
from kiosk.cards.errors import CardRemoved
from kiosk.cards.piv.session import PivSession
from kiosk.core.secret import Secret
from kiosk.directory.values import BindResult
from kiosk.simulation.cards.faults import PullAfter, WrongStatus
from kiosk.simulation.cards.pinpad import SimulatedPad
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain_faults import BindSays, WriteNo
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import Sync, Template, UnblockMethod

HOLDERS, RELEASE = UnblockMethod.HOLDER_PUK, UnblockMethod.RELEASE_CODE


@dataclass(frozen=True)
class AtPad:
    """What is done at a reader's own keys."""

    name: str
    kind: Kind
    state: State = State.ACTIVE
    unblock: UnblockMethod = RELEASE


AT_PAD = (
    AtPad("a change", Kind.CHANGE),
    AtPad("a first PIN", Kind.ACTIVATE, State.ISSUED),
    AtPad("an unblock", Kind.UNBLOCK),
    AtPad("an unblock, holder's PUK", Kind.UNBLOCK, unblock=HOLDERS),
)


class Person:
    """Somebody at a reader with keys."""

    def __init__(self, what: AtPad) -> None:
        self.what = what
        self.readers = SimulatedReaders()
        self.pad: SimulatedPad = self.readers.fit_pad()
        self.world = World(readers=self.readers)
        self.world.add_template(
            Template(name="staff", allow_pinpad=True, unblock=(what.unblock,))
        )
        guid = self.world.directory.add_account("alice", password=Secret(OLD))
        self.made, self.puk = self.world.make_card("alice", pin=OLD)
        self.world.register(
            "alice",
            self.made,
            self.puk,
            account_guid=guid,
            template="staff",
            state=what.state,
            sync=Sync.NEVER if what.state is State.ISSUED else Sync.IN_STEP,
        )
        if what.kind is Kind.UNBLOCK:
            self.made.card.set_tries(pin=0)

    def types(self, at: int | None) -> tuple[Result, int]:
        """Do it all; `at`: the APDU after which the card leaves. And how many."""
        visit = self.world.visit(self.readers.insert(self.made.card))
        visit.recognise()
        form = visit.begin(self.what.kind)
        values: dict[FieldName, Secret] = {}
        if FieldName.RELEASE_CODE in form.fields:
            values[FieldName.RELEASE_CODE] = self.world.release_code("alice")
        typed = [NEW, NEW]
        if self.what.kind is not Kind.UNBLOCK:
            typed.insert(0, OLD)
        elif self.what.unblock is HOLDERS:
            typed.insert(0, bytes(self.puk.reveal()))
        self.pad.will_type(*typed)
        self.readers.faults.set(*([] if at is None else [PullAfter(at=at)]))
        answers = Answers(values, confirmed=True)
        result = visit.submit(form, answers, lambda progress: None)
        return result, self.readers.faults.count


@pytest.mark.parametrize("what", AT_PAD, ids=lambda what: what.name)
def test_at_a_readers_keys_a_card_that_may_have_changed_is_out_of_step(
    what: AtPad,
) -> None:
    result, count = Person(what).types(None)
    assert result.outcome is Outcome.CARD_ONLY
    changed = 0
    for at in range(1, count + 1):
        person = Person(what)
        result, _ = person.types(at)
        if not person.made.card.has_pin(NEW):
            continue
        changed += 1
        assert result.outcome is not Outcome.REFUSED, at
        is_known = result.outcome is Outcome.CARD_ONLY
        sync = person.world.credential("alice").sync
        assert sync is (Sync.NOT_SYNCHRONISED if is_known else Sync.OUT_OF_STEP), at
    assert changed


def leaving(fault: PullAfter, world: World) -> None:
    world.readers.faults.set(fault)


@pytest.mark.parametrize(
    "story", ["change", "activate", "unblock", "unblock, holder's PUK"]
)
def test_at_the_keyboard_too_it_is_out_of_step(story: str) -> None:
    whole = History(named(story))
    without_a_fault = whole.attempt()
    assert without_a_fault is not None
    assert without_a_fault.outcome is Outcome.DONE
    count = whole.world.readers.faults.count
    changed = 0
    for at in range(1, count + 1):
        history = History(named(story))
        result = history.attempt(partial(leaving, PullAfter(at=at)))
        if history.card_pin() != NEW:
            continue
        changed += 1
        assert result is not None
        assert result.outcome is not Outcome.REFUSED, at
        in_step = result.outcome is Outcome.DONE
        assert history.sync() is (Sync.IN_STEP if in_step else Sync.OUT_OF_STEP), at
    assert changed


def test_a_card_never_activated_that_was_cut_in_its_unblock_gets_no_transport_pin() -> (
    None
):
    """Whatever it has now: the transport PIN could cost a try."""
    story = named("unblock, never activated, by code, no 9E")
    whole = History(story)
    assert whole.attempt() is not None
    changed = 0
    for at in range(1, whole.world.readers.faults.count + 1):
        history = History(story)
        history.attempt(partial(leaving, PullAfter(at=at)))
        history.look()
        credential = history.world.credential("alice")
        if history.card_pin() != NEW or credential.state is State.ACTIVE:
            continue
        changed += 1
        assert credential.activation_interrupted, at
    assert changed


@pytest.mark.parametrize("story", ["unblock", "unblock, holder's PUK"])
def test_a_card_that_only_says_that_it_is_open_gets_no_password(story: str) -> None:
    history = History(named(story))
    says_done = WrongStatus(ins=0x2C, sw=0x9000)
    result = history.attempt(lambda world: world.readers.faults.set(says_done))
    assert result is not None
    assert result.outcome is not Outcome.DONE
    assert history.domain.writes == []
    assert history.sync() is Sync.OUT_OF_STEP


# --- what is said of an end -----------------------------------------------------------


def suspended(world: World) -> None:
    world.authority.before("authorise", lambda: world.operate("alice", Event.SUSPEND))


def test_a_proof_that_is_not_taken_changes_no_card() -> None:
    history = History(named("change"))
    result = history.attempt(suspended)
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "stop.suspended"
    assert history.card_pin() == OLD


def test_a_proof_that_is_not_taken_after_the_card_is_told_as_that() -> None:
    """And not as what a write without it would be refused for."""
    history = History(named("unblock"))
    result = history.attempt(suspended)
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "stop.suspended" in [fact.key for fact in result.facts]
    assert history.domain.writes == []


def test_a_card_that_was_changed_back_is_not_said_to_have_the_new_pin() -> None:
    """Though that it went well could not be told to anybody."""

    def away() -> None:
        raise AuthorityAway

    history = History(named("change"))

    def spoil(world: World) -> None:
        world.directory.fail(WriteNo(why="no_right"))
        world.authority.before("rolled_back", away)

    result = history.attempt(spoil)
    assert result is not None
    assert history.card_pin() == OLD
    assert "result.fact.card_changed" not in [fact.key for fact in result.facts]


@pytest.mark.parametrize("says", [BindResult.MUST_CHANGE, BindResult.DISABLED])
def test_a_password_that_is_there_and_may_not_be_used_is_told_as_that(
    says: BindResult,
) -> None:
    history = History(named("change"))
    result = history.attempt(lambda world: world.directory.fail(BindSays(result=says)))
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert f"directory.bind.{says}" in [fact.key for fact in result.facts]


def test_a_controller_that_says_yes_and_does_nothing_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is the bind: the password before may bind for an hour."""
    history = History(named("finish"))
    monkeypatch.setattr(SimulatedDc, "set_password", lambda *_, **__: None)
    result = history.attempt(
        lambda world: world.directory.fail(BindSays(result=BindResult.OK))
    )
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert history.sync() is Sync.OUT_OF_STEP


def test_a_card_that_was_held_and_left_while_it_was_activated_is_not_activated_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have its new PIN: the transport PIN would be a wrong one."""
    history = History(named("activate"))
    change = PivSession.change_pin

    def taken_and_gone(session: PivSession, old: Secret, new: Secret) -> NoReturn:
        change(session, old, new)
        raise CardRemoved(reader="kiosk")

    monkeypatch.setattr(PivSession, "change_pin", taken_and_gone)
    result = history.attempt(
        lambda world: world.authority.after(
            "authorise", lambda: world.operate("alice", Event.SUSPEND)
        )
    )
    monkeypatch.undo()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert history.card_pin() == NEW
    history.world.operate("alice", Event.RESUME)
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    fields = visit.begin(Kind.ACTIVATE).fields
    assert fields == (FieldName.ACTIVATION_CODE, FieldName.NEW_PIN)
    visit.close()
    history.come_home()
    assert history.is_in_step()
