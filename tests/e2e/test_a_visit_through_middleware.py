"""A whole visit by the vendor's module, where the template wants that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.cards.events import Watch
from lab.cards.judges import opensc
from lab.cards.pcscd import Pcscd

from kiosk.cards.errors import ModuleFailed
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.ports import Card, Connection
from kiosk.cards.values import Family
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import CardAccess, Sync, Template

pytestmark = pytest.mark.pcscd

PIN, NEW = b"271828", b"314159"
NO_MODULE = Path("/usr/bin/true")
"""A program; no library of any kind."""


class Station:
    """A station with a module, and Alice's card in its real reader."""

    def __init__(self, pcscd: Pcscd, module: Path, access: CardAccess) -> None:
        self._module = module
        self.world = World()
        self.world.add_template(Template(name="staff", card_access=access))
        self.guid = guid = self.world.directory.add_account(
            "alice", password=Secret(PIN)
        )
        self.made, puk = self.world.make_card("alice", pin=PIN)
        self.world.register(
            "alice",
            self.made,
            puk,
            account_guid=guid,
            template="staff",
            state=State.ACTIVE,
            sync=Sync.IN_STEP,
            transport_pin=Secret(PIN),
        )
        with Watch(PcscMonitor(more={Family.PKCS11: self._behind_module})) as watch:
            pcscd.readers[0].insert(self.made.card)
            self.card = watch.card()
        self.visit: Visit = self.world.visit(self.card)

    def _behind_module(
        self,
        connect: Callable[[], Connection],
        *,
        reader: str,
        insertion: int,
    ) -> Card:
        process = ModuleProcess(self._module, Unblocking.AUTO)
        return Pkcs11Card(process, reader=reader, insertion=insertion)

    def change(self) -> Outcome:
        form = self.visit.begin(Kind.CHANGE)
        answers = Answers(
            {FieldName.OLD_PIN: Secret(PIN), FieldName.NEW_PIN: Secret(NEW)},
            confirmed=True,
        )
        return self.visit.submit(form, answers, lambda step: None).outcome

    def is_in_step(self) -> bool:
        """The card has the new PIN, and so has the directory."""
        return self.made.card.has_pin(NEW) and self.world.directory.binds(
            self.guid, Secret(NEW)
        )


Put = Callable[[Path, CardAccess], Station]


@pytest.fixture
def put(pcscd: Pcscd) -> Iterator[Put]:
    made: list[Station] = []

    def station(module: Path, access: CardAccess) -> Station:
        made.append(Station(pcscd, module, access))
        return made[-1]

    yield station
    for each in made:
        each.visit.close()


@pytest.mark.parametrize("access", [CardAccess.MIDDLEWARE, CardAccess.IF_POSSIBLE])
def test_the_module_changes_the_pin_and_signs_for_the_password(
    put: Put, access: CardAccess
) -> None:
    station = put(Path(opensc()), access)
    station.visit.recognise()
    assert station.change() is Outcome.DONE
    assert station.is_in_step()


def test_without_its_module_a_card_is_refused_where_the_template_says_so(
    put: Put,
) -> None:
    station = put(NO_MODULE, CardAccess.MIDDLEWARE)
    with pytest.raises(ModuleFailed) as caught:
        station.visit.recognise()
    assert caught.value.data["module"] == NO_MODULE.name
    assert station.made.card.has_pin(PIN)


def test_without_its_module_a_card_is_served_by_ourselves_where_that_may_be(
    put: Put,
) -> None:
    station = put(NO_MODULE, CardAccess.IF_POSSIBLE)
    station.visit.recognise()
    assert station.change() is Outcome.DONE
    assert station.is_in_step()


def test_the_last_try_is_never_offered(put: Put) -> None:
    station = put(Path(opensc()), CardAccess.MIDDLEWARE)
    station.made.card.set_tries(pin=1)
    home = station.visit.recognise()
    (change,) = (each for each in home.actions if each.kind is Kind.CHANGE)
    assert change.reason == Message("refusal.one_try_left")
    assert station.made.card.pin_tries_left == 1
