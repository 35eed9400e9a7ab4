"""The operators' demo: an office with an operator of each role and two readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from kiosk.authority.office.operators import Action
from kiosk.cards.ports import ReaderEvent
from kiosk.cards.values import CardIdentity, Family, IdentityKind
from kiosk.config import OperatorRole
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob, SerialWorker
from kiosk.desk.card_work import Aside
from kiosk.desk.context import Site
from kiosk.desk.patience import Patience
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort
from kiosk.faces.demo_deck import DemoCard
from kiosk.faces.wording import say
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.demo import CAST, Demo, Role, pin_of, shown, words_of
from kiosk.simulation.issuer import rehearsal_issuer
from kiosk.simulation.rehearsal.office import GROUPS, office_of
from kiosk.visit.station import FaceSettings
from statemachine.lifecycle import State

OPERATORS_READER, CARD_READER = "Operator's reader", "Card reader"
PASSWORD = b"Operator-2026"
PIN = b"271828"
STAFF = (
    ("hanna", "Hanna Hart", OperatorRole.HELPDESK),
    ("olga", "Olga Orlow", OperatorRole.OFFICER),
    ("aaron", "Aaron Adler", OperatorRole.AUDITOR),
    ("ada", "Ada Ames", OperatorRole.ADMINISTRATOR),
)
T = TypeVar("T")
Told = Callable[[], DemoCard]
"""Tells what is true of a card now."""


class DemoDesk:
    """`desk.station.DeskStation` on simulated parts, and `demo_deck.DemoDeck`."""

    aside: Aside | None = None
    """Where cards are issued; None: on the session's thread."""

    def __init__(self, demo: Demo | None = None, language: str = "") -> None:
        """`demo`: the kiosk of the same world; else the desk has one of its own.
        `language`: the desk's own; empty: as its site has it.
        """
        demo = demo or Demo()
        self.readers = SimulatedReaders(OPERATORS_READER, CARD_READER)
        demo.everywhere.append(self.readers)
        self._take_out = demo.take_out
        self._domain, self.world = demo.domain, demo.world
        self._language = language
        self._worker: SerialWorker | None = None
        self.patience = Patience()
        """Of whoever plays: ended by what ends something that only looks."""
        self._session: Session | None = None
        self._cards: list[tuple[Told, SimulatedPivCard, str]] = []
        for name, person, role in STAFF:
            self._operator(name, person, role)
        for each, card in zip(CAST, demo.physical, strict=False):
            told = partial(self._of_the_cast, each)
            self._cards.append((told, card, CARD_READER))
        for number in (1, 2):
            self._blank(number)

    def _operator(self, name: str, person: str, role: OperatorRole) -> None:
        guid = self._domain.add_account(
            name,
            display_name=person,
            password=Secret(PASSWORD),
            groups=frozenset({GROUPS[role]}),
        )
        made, puk = self.world.make_card(person, pin=PIN)
        self.world.register(name, made, puk, account_guid=guid, template="staff")
        told = partial(self._of_the_staff, name, person, role, made.card)
        self._cards.append((told, made.card, OPERATORS_READER))

    def _of_the_staff(
        self, name: str, person: str, role: OperatorRole, card: SimulatedPivCard
    ) -> DemoCard:
        """Tell who it is, how they sign in, and what is worth trying now."""
        word = role.name.lower()
        following = word if self.readers.holds(card) else f"{word}_first"
        pin, password = PIN.decode(), PASSWORD.decode()
        return DemoCard(
            person,
            say(f"demo.role.{word}"),
            say("demo.hint.operator", pin=pin, account=name, password=password),
            say(f"demo.next.{following}"),
        )

    def _of_the_cast(self, role: Role) -> DemoCard:
        """Tell what is true of somebody's card, and what is tried with it here."""
        return replace(shown(self.world, role), next=say("demo.next.page"))

    def _blank(self, number: int) -> None:
        options = PivOptions(serial=bytes((0, 0, 0, number)), version=b"\5\4\3")
        card = SimulatedPivCard(entropy=self.world.entropy, options=options)
        self._cards.append((partial(self._told, number, card), card, CARD_READER))

    def _told(self, number: int, card: SimulatedPivCard) -> DemoCard:
        """Tell what is true of a card that came blank."""
        own = CardIdentity(Family.PIV, IdentityKind.SERIAL, card.options.serial)
        known = self.world.registry.run(lambda tx: tx.credential_by_card(own.key))
        if known is None or known.state is State.RETIRED:
            name = say("demo.blank", number=number)
            return DemoCard(name, say("demo.not_issued"), say("demo.hint.blank"))
        state = words_of(known)["state"]
        story = say("demo.issued_here", state=state, tries=card.pin_tries_left)
        return DemoCard(known.holder, story, say("demo.hint.pin", pin=pin_of(card)))

    # --- desk.station.DeskStation -------------------------------------------------

    @property
    def settings(self) -> FaceSettings:
        settings = self.world.settings
        if not self._language:
            return settings
        return replace(settings, languages=(self._language,))

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self.readers.start(emit)

    def open(self) -> DeskPort:
        if self._session is None:
            office = office_of(
                self.world.parts,
                with_account=True,
                second_for=frozenset({Action.REVOKE}),
            )
            self._session = Session(office, self._site(), self.aside)
        return self._session

    def on_worker(self, job: Callable[[], None]) -> None:
        if self._worker is None:
            self._worker = SerialWorker("desk")
        self._worker.post(self.patience.of(job))

    def stop_waiting(self) -> None:
        self.patience.end()

    def ask(self, question: Callable[[], T]) -> T:
        """Have it answered on the worker, as `card_work.Aside` does."""
        pending: PendingJob[T] = PendingJob()
        self.on_worker(lambda: pending.run(question))
        return pending.result()

    def stop(self) -> None:
        """Nobody is at it any more; it can be started again."""
        self.readers.stop()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()

    def _site(self) -> Site:
        issuer = rehearsal_issuer(self.world.clock.now())
        return Site(
            clock=self.world.clock,
            entropy=self.world.entropy,
            issuer=lambda: issuer,
            questions=("What is your employee number?", "Who is your manager?"),
            answers=("employeeID", "manager"),
            waits=self.patience.lasts,
        )

    # --- demo_deck.DemoDeck ---------------------------------------------------------

    @property
    def cards(self) -> tuple[DemoCard, ...]:
        return tuple(told() for told, _, _ in self._cards)

    def insert(self, index: int) -> None:
        _, card, reader = self._cards[index]
        self._take_out(card)
        self.readers.insert(card, reader)

    def pull(self) -> None:
        """Pull the card of the card reader, else the operator's."""
        if self.readers.has_card(CARD_READER):
            self.readers.pull(CARD_READER)
        else:
            self.readers.pull(OPERATORS_READER)

    def release_code(self) -> str:
        return say("demo.helpdesk.yourself")

    def note(self) -> str:
        return ""


class DemoAside:
    """`card_work.Aside` beside the demo's desk."""

    def __init__(self, desk: DemoDesk) -> None:
        self._desk = desk
        self._beside = SerialWorker("desk cards")

    def run(self, job: Callable[[], None]) -> None:
        self._beside.post(job)

    def ask(self, question: Callable[[], T]) -> T:
        return self._desk.ask(question)


def opened_beside(kiosk: Demo, language: str) -> DemoDesk:
    """Return the desk of the kiosk's world; cards are issued beside its session."""
    desk = DemoDesk(kiosk, language)
    desk.aside = DemoAside(desk)
    return desk
