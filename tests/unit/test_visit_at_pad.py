"""A reader with its own keys: only the card learns the PIN, and the screen says so."""

from __future__ import annotations

import pytest

from kiosk.authority.escrow import puks
from kiosk.cards.any_card import AnyCard
from kiosk.cards.errors import PadRequired
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.pinpad import SimulatedPad
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Form, Home, Outcome, Result
from kiosk.visit.visit import Visit
from statemachine.candidates import TRIES
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import FirstPin, Sync, Template, UnblockMethod

PIN, NEW = b"271828", b"314159"


class Person:
    """Somebody at a reader with keys."""

    def __init__(
        self,
        *,
        state: State = State.ACTIVE,
        allow_pinpad: bool = True,
        unblock: UnblockMethod = UnblockMethod.RELEASE_CODE,
        first_pin: FirstPin = FirstPin.TRANSPORT_PIN,
    ) -> None:
        self.readers = SimulatedReaders()
        self.pad: SimulatedPad = self.readers.fit_pad()
        self.world = World(readers=self.readers)
        self.world.add_template(
            Template(
                name="staff",
                allow_pinpad=allow_pinpad,
                unblock=(unblock,),
                first_pin=first_pin,
            )
        )
        guid = self.world.directory.add_account("alice", password=Secret(PIN))
        self.made, self.puk = self.world.make_card("alice", pin=PIN)
        self.world.register(
            "alice",
            self.made,
            self.puk,
            account_guid=guid,
            template="staff",
            state=state,
            sync=Sync.NEVER if state is State.ISSUED else Sync.IN_STEP,
            transport_pin=Secret(PIN),
        )

    def home(self) -> Home:
        self.visit: Visit = self.world.visit(self.readers.insert(self.made.card))
        return self.visit.recognise()

    def form(self, kind: Kind) -> Form:
        self.home()
        return self.visit.begin(kind)

    def submit(self, form: Form, **typed: Secret) -> Result:
        values = {FieldName(name): value for name, value in typed.items()}
        answers = Answers(values, confirmed=True)
        return self.visit.submit(form, answers, lambda step: None)

    def is_written_down(self) -> bool:
        """The card is open, its password elsewhere, its PUK has all its tries."""
        credential = self.world.credential("alice")
        assert self.world.registry.read(lambda it: it.unfinished()) == 0
        assert credential.state is State.ACTIVE
        assert credential.sync is Sync.NOT_SYNCHRONISED
        return puks.of(credential.escrow).left == TRIES


def test_before_anything_is_typed_the_screen_says_that_the_password_stays() -> None:
    form = Person().form(Kind.CHANGE)
    assert form.fields == ()
    assert form.confirm is not None
    assert form.confirm.key == "confirm.card_only"
    assert not form.password_follows


def test_a_change_at_the_pad_leaves_the_password_as_it_is() -> None:
    person = Person()
    form = person.form(Kind.CHANGE)
    person.pad.will_type(PIN, NEW, NEW)
    result = person.submit(form)
    assert result.outcome is Outcome.CARD_ONLY
    assert person.made.card.has_pin(NEW)
    assert person.world.directory.writes == []
    credential = person.world.credential("alice")
    assert credential.sync is Sync.NOT_SYNCHRONISED
    assert credential.sync_reason == "condition.pin_pad"


def test_a_first_pin_can_be_set_there() -> None:
    person = Person(state=State.ISSUED)
    form = person.form(Kind.ACTIVATE)
    person.pad.will_type(PIN, NEW, NEW)
    assert person.submit(form).outcome is Outcome.CARD_ONLY
    assert person.world.credential("alice").state is State.ACTIVE


def test_an_unblock_takes_the_escrowed_puk_and_rotates_it() -> None:
    person = Person()
    person.made.card.set_tries(pin=0)
    form = person.form(Kind.UNBLOCK)
    assert form.fields == (FieldName.RELEASE_CODE,)
    person.pad.will_type(NEW, NEW)
    result = person.submit(form, release_code=person.world.release_code("alice"))
    assert result.outcome is Outcome.CARD_ONLY, result
    assert person.made.card.has_pin(NEW)
    assert not person.made.card.has_puk(person.puk.reveal())
    assert person.is_written_down()


def test_an_unblock_with_the_holders_puk_is_typed_there_too() -> None:
    person = Person(unblock=UnblockMethod.HOLDER_PUK)
    person.made.card.set_tries(pin=0)
    form = person.form(Kind.UNBLOCK)
    assert form.fields == ()
    person.pad.will_type(bytes(person.puk.reveal()), NEW, NEW)
    assert person.submit(form).outcome is Outcome.CARD_ONLY
    assert person.made.card.has_pin(NEW)
    assert person.is_written_down()


@pytest.mark.parametrize(
    ("left", "said"), [(1, "card.last_try_kept"), (0, "card.pin_blocked")]
)
def test_tries_that_others_spent_meanwhile_are_seen_before_anybody_types_there(
    left: int, said: str
) -> None:
    person = Person()
    form = person.form(Kind.CHANGE)
    person.made.card.set_tries(pin=left)
    person.pad.will_type(b"000111", NEW, NEW)
    result = person.submit(form)
    assert (result.outcome, result.headline.key) == (Outcome.REFUSED, said)
    assert person.made.card.pin_tries_left == left


def test_a_wrong_pin_there_costs_one_try_and_changes_nothing() -> None:
    person = Person()
    form = person.form(Kind.CHANGE)
    person.pad.will_type(b"000111", NEW, NEW)
    result = person.submit(form)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.wrong_pin"
    assert person.made.card.pin_tries_left == 2
    assert person.world.credential("alice").sync is Sync.IN_STEP


@pytest.mark.parametrize("what", ["cancel", "nobody", "mismatch"])
def test_what_is_not_typed_changes_nothing_and_costs_nothing(what: str) -> None:
    person = Person()
    form = person.form(Kind.CHANGE)
    if what == "cancel":
        person.pad.will_cancel()
    elif what == "mismatch":
        person.pad.will_type(PIN, NEW, b"999999")
    result = person.submit(form)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key.startswith("card.pad_")
    assert person.made.card.pin_tries_left == 3
    assert person.world.credential("alice").sync is Sync.IN_STEP


def test_without_the_templates_consent_nothing_can_be_done_there() -> None:
    home = Person(allow_pinpad=False).home()
    assert not any(offer.allowed for offer in home.actions)
    reasons = {offer.reason.key for offer in home.actions if offer.reason}
    assert "stop.pin_pad" in reasons


def test_a_finish_is_not_offered_because_the_password_could_not_follow() -> None:
    person = Person()
    home = person.home()
    finish = next(each for each in home.actions if each.kind is Kind.FINISH)
    assert not finish.allowed


def test_a_transport_pin_in_escrow_cannot_be_used_at_the_pad() -> None:
    person = Person(state=State.ISSUED, first_pin=FirstPin.ACTIVATION_CODE)
    form = person.form(Kind.ACTIVATE)
    code = person.world.activation_code("alice")
    result = person.submit(form, activation_code=code)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "card.not_supported"
    assert result.headline.data == {"what": "PIN pad"}
    assert person.made.card.has_pin(PIN)


def test_where_pads_are_required_nothing_is_typed_anywhere_else() -> None:
    """A card that cannot use a pad, or a reader without one, opens no form."""
    readers = SimulatedReaders()
    made = make_card(SeededEntropy(1), subject="ann@ad.test", pin=PIN, puk=b"PUKPUK01")

    def inserted() -> AnyCard:
        shared = readers.insert(made.card)._shared
        return AnyCard(shared, reader="Reader", insertion=1, requires_pad=True)

    with pytest.raises(PadRequired):
        inserted().recognise()
    readers.fit_pad()
    assert inserted().recognise().pinpad
