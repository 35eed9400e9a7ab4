"""The demo's tray tells what is true now: a PIN of before would cost a try."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.cards.ports import CardInserted, ReaderEvent
from kiosk.core.secret import Secret
from kiosk.simulation.demo import CAST, Demo
from kiosk.simulation.demo_desk import DemoDesk
from kiosk.visit.views import Answers, FieldName, Outcome, VisitPort
from statemachine.operation import Kind

NEW = b"314159"
CHANGED = {Outcome.DONE, Outcome.CARD_ONLY}


class Table:
    """Somebody with the demo's cards, without a screen."""

    def __init__(self) -> None:
        self.demo = Demo()
        self._visits: list[VisitPort] = []
        self.demo.world.start(self._heard)

    def _heard(self, event: ReaderEvent) -> None:
        if isinstance(event, CardInserted):
            self._visits.append(self.demo.world.visit(event.card))

    def hint(self, name: str) -> str:
        return self.demo.cards[_index(name)].hint

    def story(self, name: str) -> str:
        return self.demo.cards[_index(name)].story

    def code(self) -> bytes:
        said = self.demo.release_code().split("for")[0]
        return "".join(filter(str.isdigit, said)).encode("ascii")

    def insert(self, name: str) -> VisitPort:
        self.demo.insert(_index(name))
        self._visits[-1].recognise()
        return self._visits[-1]

    def do(self, name: str, kind: Kind, **typed: bytes) -> Outcome:
        visit = self.insert(name)
        form = visit.begin(kind)
        for field in {FieldName.RELEASE_CODE, FieldName.ACTIVATION_CODE}:
            if field in form.fields:
                typed[field] = self.code()
        values = {FieldName(each): Secret(value) for each, value in typed.items()}
        done = visit.submit(form, Answers(values, confirmed=True), lambda step: None)
        self.demo.pull()
        return done.outcome


def _index(name: str) -> int:
    return [role.name for role in CAST].index(name)


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    table.demo.world.stop()


@pytest.mark.parametrize(
    ("name", "kind", "typed"),
    [
        ("everyday", Kind.CHANGE, {"old_pin": b"271828"}),
        ("first day", Kind.ACTIVATE, {"transport_pin": b"482915"}),
        ("by code", Kind.ACTIVATE, {}),
        ("blocked", Kind.UNBLOCK, {}),
        ("administrator", Kind.CHANGE, {"old_pin": b"223606"}),
    ],
)
def test_what_the_holder_knows_is_the_pin_of_now(
    table: Table, name: str, kind: Kind, typed: dict[str, bytes]
) -> None:
    assert table.do(name, kind, new_pin=NEW, **typed) in CHANGED
    assert table.hint(name) == f"the PIN is {NEW.decode()}"
    tries = table.demo.world.holders[name].made.card.pin_tries_left
    assert table.do(name, Kind.CHANGE, old_pin=NEW, new_pin=b"926535") in CHANGED
    assert table.demo.world.holders[name].made.card.pin_tries_left == tries


def test_the_story_is_that_of_now(table: Table) -> None:
    before = table.story("first day")
    table.do("first day", Kind.ACTIVATE, transport_pin=b"482915", new_pin=NEW)
    assert "new" in before
    assert table.story("first day") == "now active, in step; tries left: 3"
    assert table.story("everyday").startswith("an everyday card"), "and nobody else's"


def test_a_wrong_pin_shows_in_the_tries(table: Table) -> None:
    table.do("everyday", Kind.CHANGE, old_pin=b"999999", new_pin=NEW)
    assert table.story("everyday").endswith("tries left: 2")
    assert table.hint("everyday") == "the PIN is 271828"


def test_the_helpdesk_gives_the_code_that_is_needed_now(table: Table) -> None:
    table.do("by code", Kind.ACTIVATE, new_pin=NEW)
    assert table.do("by code", Kind.UNBLOCK, new_pin=b"926535") is Outcome.DONE


def test_the_helpdesk_asks_for_the_card_before_it_says_that_it_has_none(
    table: Table,
) -> None:
    assert "insert the card first" in table.demo.release_code()
    table.demo.insert(len(CAST))
    assert "no such card" in table.demo.release_code()


def test_the_desks_tray_begins_with_blank_cards() -> None:
    desk = DemoDesk()
    told = desk.cards[-1]
    desk.stop()
    assert (told.name, told.story) == ("blank card 2", "not issued")


def test_an_operator_who_sits_there_is_told_what_to_try_next() -> None:
    desk = DemoDesk()
    before = desk.cards[0].next
    desk.insert(0)
    after = desk.cards[0].next
    desk.pull()
    again = desk.cards[0].next
    desk.stop()
    assert before == again == "F5 and the PIN, then find Carol and give her a code"
    assert after == "give Carol a code, then Ctrl+T and type it at the kiosk"
