"""A desk whose reader has keys of its own: PINs are typed there, and nowhere else.

The sign-in of an operator, the second one's, and the holder's at an import; each where
the session works here, and where it works at an authority elsewhere.
"""

from __future__ import annotations

import pytest
from lab.desk.office import PASSWORD, PIN, Office

from kiosk.authority.office.operators import Action
from kiosk.simulation.cards.pinpad import SimulatedPad
from kiosk.simulation.cards.reader import SimulatedReaders
from statemachine.lifecycle import State

pytestmark = pytest.mark.usefixtures("here_and_relayed")


class Counter(Office):
    """An office whose reader has keys."""

    def __init__(
        self, *, second_for: tuple[Action, ...] = (), has_keys: bool = True
    ) -> None:
        super().__init__(second_for=second_for)
        readers = self.world.readers
        assert isinstance(readers, SimulatedReaders)
        self.readers = readers
        self.pad = readers.fit_pad() if has_keys else SimulatedPad()
        self.person("alice")
        self.holder("alice")

    def fields(self) -> list[str]:
        return [field.name for field in self.page.fields]


@pytest.fixture
def counter() -> Counter:
    return Counter()


def test_an_operators_pin_is_typed_at_the_reader(counter: Counter) -> None:
    counter.insert(counter.holder("hanna"))
    assert counter.fields() == []
    assert counter.sentences() == ["desk.pin_at_reader", "tui.tries.left"]
    counter.pad.will_type(PIN)
    counter.submit()
    assert counter.page.name == "menu"
    assert counter.page.operator == "Hanna Example"
    assert [each.key for each in counter.said] == ["tui.step.pad"]


def test_a_wrong_pin_at_the_reader_costs_one_try_and_signs_nobody_in(
    counter: Counter,
) -> None:
    hanna = counter.holder("hanna")
    counter.insert(hanna)
    counter.pad.will_type(b"000111")
    counter.submit()
    assert counter.notice == "card.wrong_pin"
    assert counter.page.operator == ""
    assert hanna.made.card.pin_tries_left == 2


def test_the_last_try_is_not_asked_for_at_the_reader(counter: Counter) -> None:
    hanna = counter.holder("hanna")
    hanna.made.card.set_tries(pin=1)
    counter.insert(hanna)
    counter.pad.will_type(PIN)
    counter.submit()
    assert counter.notice == "refusal.one_try_left"
    assert hanna.made.card.pin_tries_left == 1


def test_nobody_types_at_the_reader_and_nothing_is_spent(counter: Counter) -> None:
    hanna = counter.holder("hanna")
    counter.insert(hanna)
    counter.submit()
    assert counter.notice == "card.pad_timed_out"
    assert counter.page.operator == ""
    assert hanna.made.card.pin_tries_left == 3


def test_a_pin_that_was_typed_here_all_the_same_is_not_sent(counter: Counter) -> None:
    """The card came into the reader with keys after the form was drawn."""
    hanna = counter.holder("hanna")
    counter.insert(hanna)
    counter.submit({"pin": b"000111"})
    assert counter.notice == "card.pad_timed_out"
    assert hanna.made.card.pin_tries_left == 3


def test_where_the_site_wants_the_readers_keys_no_pin_is_asked_without_them() -> None:
    counter = Counter(has_keys=False)
    counter.readers.requires_pads = True
    hanna = counter.holder("hanna")
    counter.insert(hanna)
    assert counter.fields() == []
    assert counter.sentences() == ["card.pad_required"]
    counter.submit({"pin": PIN})
    assert counter.notice == "card.pad_required"
    assert counter.page.operator == ""


def test_an_import_has_the_holder_type_at_the_reader() -> None:
    counter = Counter()
    counter.sign_in("olga")
    counter.choose("import")
    assert "pin" in counter.fields()
    counter.insert(counter.holder("hanna"))
    assert "pin" not in counter.fields()
    assert "desk.pin_at_reader" in counter.sentences()


def test_the_second_operator_types_at_the_reader_too() -> None:
    counter = Counter(second_for=(Action.REVOKE,))
    counter.sign_in("hanna")
    counter.open("alice")
    counter.choose("revoke")
    counter.insert(counter.holder("ada"))
    assert counter.fields() == ["reason"]
    assert "desk.pin_at_reader" in counter.sentences()
    counter.pad.will_type(PIN)
    counter.submit(reason="stolen")
    assert counter.world.credential("alice").state is State.REVOKED
    (event,) = counter.events("lifecycle.revoke")
    assert event["second"] == "ada@ad.test"


def test_a_second_who_has_typed_an_account_is_not_asked_at_the_reader() -> None:
    """A card came in while the account was typed; whose it is, nobody has said."""
    counter = Counter(second_for=(Action.REVOKE,))
    counter.sign_in("hanna")
    counter.open("alice")
    counter.choose("revoke")
    counter.insert(counter.holder("olga"))
    counter.submit({"second_secret": PASSWORD}, reason="stolen", second_account="ada")
    assert counter.world.credential("alice").state is State.REVOKED
    (event,) = counter.events("lifecycle.revoke")
    assert event["second"] == "ada@ad.test"


def test_without_what_is_typed_at_the_reader_there_is_no_second() -> None:
    counter = Counter(second_for=(Action.REVOKE,))
    counter.sign_in("hanna")
    counter.open("alice")
    counter.choose("revoke")
    counter.insert(counter.holder("ada"))
    counter.submit(reason="stolen")
    assert counter.notice == "card.pad_timed_out"
    assert counter.world.credential("alice").state is State.ACTIVE
