"""A card at a station that has no module for it: worked on only where that may be."""

from __future__ import annotations

import pytest

from kiosk.cards.errors import NotSupported
from kiosk.core.secret import Secret
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.world import World
from kiosk.visit.visit import Visit
from storage.records import CardAccess, Template

PIN = b"271828"


def without_module(access: CardAccess) -> Visit:
    """A card at a station that has no module for it."""
    world = World(readers=SimulatedReaders())
    world.add_template(Template(name="staff", card_access=access))
    guid = world.directory.add_account("alice", password=Secret(PIN))
    made, puk = world.make_card("alice", pin=PIN)
    world.register("alice", made, puk, account_guid=guid, template="staff")
    return world.visit(world.readers.insert(made.card))


def test_a_card_that_needs_a_module_is_not_worked_on_without_it() -> None:
    """Its vendor's module may keep something beside it that a change would break."""
    visit = without_module(CardAccess.MIDDLEWARE)
    with pytest.raises(NotSupported):
        visit.recognise()


def test_one_that_may_have_a_module_is_worked_on_without_it() -> None:
    visit = without_module(CardAccess.IF_POSSIBLE)
    assert any(each.allowed for each in visit.recognise().actions)
