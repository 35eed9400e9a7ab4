"""Several people with cards of several kinds, one domain, as many stations as wanted.

The visit, the authority, the machines and the registry are the product's; cards, domain
and clock are simulated. One seed, one history.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from dataclasses import replace as remade
from typing import Any

from msgspec.structs import replace

from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.proof.kept_keys import KeptKeys
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import CardLimits, OpenRequest, SeenCard
from kiosk.cards.ports import Card
from kiosk.cards.values import Family
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.pin.alphabet import Alphabet
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain.state import Dc
from kiosk.simulation.interference import ProcessDied
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.simulation.world import MIDDLEWARE, World
from kiosk.visit.run import Worker, Workplace
from kiosk.visit.views import Answers, FieldName, Form, Outcome, Result
from kiosk.visit.visit import Visit
from lab.histories import Story
from lab.hostile import families
from lab.hostile.line import Line
from lab.hostile.office import Office
from lab.hostile.points import (
    Done,
    Heard,
    PointedDirectory,
    PointedFaults,
    PointedRegistry,
    Points,
    pointed,
)
from statemachine.operation import Kind
from storage.errors import RegistryError
from storage.memory_registry import MemoryRegistry
from storage.records import (
    ApprovalKind,
    Credential,
    FirstPin,
    Keyless,
    Operation,
    Sync,
    Template,
)
from storage.registry import Registry, Tx

FIRST, OTHER = "dc1.ad.test", "dc2.ad.test"
PINS = (b"314159", b"926535", b"846257", b"803476")
THEIRS = b"Helpdesk-4711"
_UNCHANGED = frozenset(
    (
        "result.headline.rolled_back",
        "result.fact.password_unchanged",
        "result.fact.nothing_changed",
    )
)
LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


@dataclass(slots=True)
class Person:
    """Somebody with a card."""

    name: str
    story: Story
    holder: SimulatedHolder
    puk: Secret
    pins: tuple[bytes, ...]
    """What the card may have: all that was ever chosen."""
    chosen: int = 0
    shown: list[Result] = field(default_factory=list)
    agreed: list[tuple[Outcome, bool]] = field(default_factory=list)
    """What was shown, and whether the last value sent was the card's PIN then."""
    typed: bytes = b""
    """What would become the password."""
    begun: list[int] = field(default_factory=list)
    """How much had been done when each visit began."""
    unchanged: dict[int, bytes] = field(default_factory=dict)
    """Visits that ended with the password unchanged, they said; and what was typed."""

    @property
    def card(self) -> Any:
        """The simulated card itself."""
        return self.holder.made.card

    def pin(self) -> bytes:
        """The PIN that the card really has."""
        return next(pin for pin in self.pins if self.card.has_pin(pin))


def _say_why(tx: Tx, credential: str, story: Story) -> None:
    known = tx.credential(credential)
    tx.save_credential(
        replace(
            known,
            sync_reason="reason.interrupted",
            activation_interrupted=story.interrupted,
        )
    )


class Town:
    """One world with points in it. `line.Authorities`."""

    def __init__(
        self,
        *stories: Story,
        registry: Registry | None = None,
        is_apart: bool = False,
    ) -> None:
        """`is_apart`: two authorities, which stations reach by a line of bytes."""
        self.points = Points()
        self.waits_end = False
        """A wait may give up: what it was for happens all the same, or does not."""
        self.line = Line(self.points, self) if is_apart else None
        self.authorities: list[RequiredPorts] = []
        self.store: Registry = registry or MemoryRegistry()
        self.world = World(registry=PointedRegistry(self.store, self.points))
        assert isinstance(self.world.directory, SimulatedDirectory)
        self.domain: SimulatedDirectory = self.world.directory
        state = self.domain._state
        state.dcs = (*state.dcs, Dc(OTHER, "origin-of-the-other"))
        self.world.directory = PointedDirectory(self.domain, self.points)
        self._readers: dict[str, SimulatedReaders] = {}
        self._here = threading.local()
        self._in_hand: dict[str, tuple[str, ...]] = {}
        self.world.readers = self.readers
        self.points.now = self.world.clock.monotonic
        self.office = Office(self)
        self.restart()
        self.people = [self._person(n, story) for n, story in enumerate(stories)]
        self.domain.replicate()

    @property
    def readers(self) -> SimulatedReaders:
        """The reader of the station at which this thread is."""
        station = getattr(self._here, "station", "kiosk-1")
        if station not in self._readers:
            made = SimulatedReaders(clock=self.world.clock, more=MIDDLEWARE)
            made.faults = PointedFaults(self.world.clock, self.points)
            self._readers[station] = made
        return self._readers[station]

    def restart(self) -> None:
        """New processes, all of them: whoever had a session has none."""
        self.office.pages.leave()
        self.authorities = [self._process() for _ in range(2 if self.line else 1)]

    def restart_one(self, number: int) -> None:
        """One authority's process dies, and begins again."""
        self.authorities[number % len(self.authorities)] = self._process()

    def _process(self) -> RequiredPorts:
        self.world.restart()
        parts = self.world.parts
        if self.line is None:
            return parts
        # Which of them a question comes to is nobody's choice: each opens what is sent.
        keys = KeptKeys(parts.vault, parts.clock, parts.entropy)
        return remade(parts, sealing=keys)

    def visit_of(self, card: Card, station: str, worker: Worker | None = None) -> Visit:
        """Return a visit with points around each message to the authority."""
        authority: Authority = LocalAuthority(self.world.parts, station)
        if self.line is not None:
            authority = self.line.station(station)
        return Visit(
            Workplace(
                card=card,
                authority=pointed(authority, self.points),
                worker=worker or InlineWorker(),
                encrypt=self.world.encrypt,
            )
        )

    def _person(self, number: int, story: Story) -> Person:
        name = f"p{number}"
        template = f"t{number}"
        self.world.add_template(
            Template(
                name=template,
                card_type=families.TYPES[story.family],
                first_pin=story.first_pin,
                unblock=story.unblock,
                keyless=story.keyless,
            )
        )
        guid = self.domain.add_account(
            name, display_name=f"Person {number}", password=Secret(story.password)
        )
        own = families.make(self.world, name, story)
        made, puk = own.made, own.puk
        made.card.set_tries(pin=story.tries)
        by_code = story.first_pin is FirstPin.ACTIVATION_CODE
        holder = self.world.register(
            name,
            made,
            own.escrowed,
            account_guid=guid,
            template=template,
            admin_key=own.admin_key,
            state=story.state,
            sync=story.sync,
            keyless=story.keyless is not Keyless.OFF,
            transport_pin=Secret(story.pin) if by_code else None,
        )
        if story.sync is Sync.OUT_OF_STEP:
            self.store.run(lambda tx: _say_why(tx, holder.credential, story))
        return Person(name, story, holder, puk, (story.pin, *PINS))

    # --- what people do ---------------------------------------------------------

    def visit(
        self,
        person: Person,
        kind: Kind | None,
        *,
        station: str = "kiosk-1",
        worker: Worker | None = None,
    ) -> Result | None:
        """Insert the card and do `kind`, or what is recommended; what was shown."""
        self._here.station = station
        person.begun.append(len(self.points.done))
        self._take_out(person)
        card = self.readers.insert(person.holder.made.card)
        visit = self.visit_of(card, station, worker)
        try:
            home = visit.recognise()
            if kind is None:
                offers = [each.kind for each in home.actions if each.recommended]
                if not offers:
                    return None
                kind = offers[0]
            form = visit.begin(kind)
            with self.points.quiet():
                answers = self._answers(person, form)
            result = visit.submit(form, answers, lambda progress: None)
        except ProcessDied:
            self._let_go_of_cards()
            self.restart()
            return None
        except (KioskError, RegistryError):
            visit.leave()
            return None
        person.shown.append(result)
        person.agreed.append((result.outcome, self._agree(person)))
        if _UNCHANGED & {each.key for each in (result.headline, *result.facts)}:
            person.unchanged[len(person.begun) - 1] = person.typed
        return result

    def _let_go_of_cards(self) -> None:
        """The system ends a dead process's transactions, and the card has no power."""
        self.readers.pull()
        del self._readers[self._here.station]

    def _take_out(self, person: Person) -> None:
        """A reader has one card, and a card is in one reader."""
        self.readers.pull()
        for station in self._in_hand.pop(person.name, ()):
            if station in self._readers:
                self._readers[station].pull()
        self._in_hand[person.name] = (self._here.station,)

    def _agree(self, person: Person) -> bool:
        guid = person.holder.account_guid
        sent = [each.value for each in self.points.done if each.whose == guid]
        return bool(sent) and person.card.has_pin(sent[-1])

    def look_elsewhere(self, person: Person) -> None:
        """Another station is shown a card of the same name, which is not there."""
        with suppress(KioskError, RegistryError):
            LocalAuthority(self.world.parts, "kiosk-2").open(
                OpenRequest(
                    card=person.holder.made.identity.key,
                    seen=SeenCard(limits=LIMITS, tries_left=3),
                )
            )

    def replay(self, heard: Sequence[Heard], station: str) -> None:
        """Somebody sends again what was heard, as if from a station."""
        authority = LocalAuthority(self.world.parts, station)
        for each in heard:
            each.again(authority)

    def insert_clone(self, person: Person) -> None:
        """Somebody has a card of the same name and certificate, and knows the PIN.

        It has keys of its own: those on a card cannot be copied.
        """
        if person.story.family is not Family.PIV:
            return  # the others have no name that can be copied without their keys
        made, puk = self.world.make_card(
            person.name,
            pin=person.pin(),
            guid=person.holder.made.identity.value,
            with_card_authentication=person.story.proves_itself,
        )
        made.card.objects = dict(person.card.objects)
        made.card.set_tries(pin=person.card.pin_tries_left)
        readers = SimulatedReaders(clock=self.world.clock)
        with suppress(KioskError, RegistryError), puk:
            visit = self.visit_of(readers.insert(made.card), "kiosk-2")
            for offer in visit.recognise().actions:
                if offer.allowed:
                    form = visit.begin(offer.kind)
                    answers = Answers(self._of_a_clone(person, form), confirmed=True)
                    visit.submit(form, answers, lambda progress: None)

    def _of_a_clone(self, person: Person, form: Form) -> dict[FieldName, Secret]:
        """What who has it can type: the PIN that they saw, and guesses."""
        known = {FieldName.OLD_PIN, FieldName.CURRENT_PIN, FieldName.TRANSPORT_PIN}
        return {
            name: Secret(person.pin())
            if name in known
            else Secret(PINS[3] if name is FieldName.NEW_PIN else b"123456782")
            for name in form.fields
        }

    def _answers(self, person: Person, form: Form) -> Answers:
        person.chosen += 1
        new = next(
            pin
            for pin in PINS[person.chosen % 4 :] + PINS
            if not person.card.has_pin(pin)
        )
        person.typed = new if FieldName.NEW_PIN in form.fields else person.pin()
        typed: dict[FieldName, Secret] = {}
        for name in form.fields:
            match name:
                case FieldName.OLD_PIN | FieldName.CURRENT_PIN:
                    typed[name] = Secret(person.pin())
                case FieldName.TRANSPORT_PIN:
                    typed[name] = Secret(person.story.pin)
                case FieldName.PUK:
                    typed[name] = person.puk.copy()
                case FieldName.RELEASE_CODE:
                    typed[name] = self.office.code(person, ApprovalKind.RELEASE)
                case FieldName.ACTIVATION_CODE:
                    typed[name] = self.office.code(person, ApprovalKind.ACTIVATION)
                case FieldName.ADMIN_RESPONSE if form.challenge is not None:
                    spoken = form.challenge.spoken
                    typed[name] = self.office.answered(person, spoken)
                case _:
                    typed[name] = Secret(new)
        return Answers(typed, confirmed=True)

    def settle(self, person: Person) -> None:
        """All is well again, time passes, and the card is looked at."""
        self.points.armed = False
        self.domain.heal()
        self.domain.replicate()
        self.restart()
        if self.line is not None:
            self.line.let_go()
        self.world.clock.sleep(200.0)
        if self._says_to_wait(person):
            self.world.clock.sleep(200.0)
            assert not self._says_to_wait(person), "waits for too long"

    def _says_to_wait(self, person: Person) -> bool:
        """Look at the card; say whether another station may be writing still.

        A clock that was set back lets a dead one look alive, once for each process.
        """
        self.readers.pull()
        visit = self.visit_of(self.readers.insert(person.card), "kiosk-1")
        reasons = {each.reason.key for each in visit.recognise().actions if each.reason}
        return "stop.another_is_writing" in reasons

    # --- what is true -----------------------------------------------------------

    def late(self, person: Person) -> list[float]:
        """Return how long after its authorisation each write was really sent."""
        found, since = [], 0.0
        for each in self.points.done:
            if each.whose == person.holder.account_guid:
                found.append(each.at - since)
            elif self._is_of(person, each):
                since = each.at
        return found

    def _is_of(self, person: Person, done: Done) -> bool:
        if done.name != "authorise":
            return False
        return self.operation(done.whose).credential == person.holder.credential

    def written_all_the_same(self, person: Person) -> bool:
        """Say whether a password was written of which a visit said that it was not."""
        ends = [*person.begun[1:], len(self.points.done)]
        return any(
            Done("set_password", each.at, person.holder.account_guid, typed) == each
            for visit, typed in person.unchanged.items()
            for each in self.points.done[person.begun[visit] : ends[visit]]
        )

    def credential(self, person: Person) -> Credential:
        own = person.holder.credential
        return self.store.run(lambda tx: tx.credential(own))

    def operation(self, id: str) -> Operation:
        return self.store.run(lambda tx: tx.operation(id))

    def binds(self, person: Person, value: bytes) -> bool:
        with Secret(value) as secret:
            return self.domain.binds(person.holder.account_guid, secret)
