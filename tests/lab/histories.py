"""Histories: one person, one operation, one thing that goes wrong, and the way home.

Everything is the real visit, authority and registry on simulated parts with a seeded
randomness and a manual clock, so a history replays exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.authority.proof.evidence import unproven_writes
from kiosk.authority.values import (
    Announced,
    CardLimits,
    OpenRequest,
    Prepared,
    PrepareRequest,
    SeenCard,
    ToldSeen,
)
from kiosk.cards.values import Family, KeyAlgorithm
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.interference import ProcessDied
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage import audit
from storage.errors import RegistryError
from storage.records import FirstPin, Keyless, Sync, Template, UnblockMethod
from storage.registry import Registry

OLD, NEW, TRANSPORT = b"271828", b"314159", b"482915"
PASSWORD_BEFORE = b"Welcome-2026"


@dataclass(frozen=True, slots=True)
class Story:
    """How one kind of operation is set up and what is typed."""

    name: str
    kind: Kind
    state: State = State.ACTIVE
    sync: Sync = Sync.IN_STEP
    pin: bytes = OLD
    password: bytes = OLD
    first_pin: FirstPin = FirstPin.TRANSPORT_PIN
    tries: int | None = None
    proves_itself: bool = True
    """It has a key that signs without a PIN."""
    unblock: tuple[UnblockMethod, ...] = (UnblockMethod.RELEASE_CODE,)
    keyless: Keyless = Keyless.OFF
    algorithm: KeyAlgorithm = KeyAlgorithm.P256
    options: PivOptions | None = None
    family: Family = Family.PIV
    interrupted: bool = False
    """It was to be activated before, and that did not come to its end."""


def _never_activated(name: str, **changes: Any) -> Story:
    """A card that was blocked before its holder ever set a PIN."""
    return Story(
        f"unblock, never activated{name}",
        Kind.UNBLOCK,
        State.ISSUED,
        Sync.NEVER,
        TRANSPORT,
        PASSWORD_BEFORE,
        tries=0,
        **changes,
    )


_BY_CODE, _BY_HOLDER = FirstPin.ACTIVATION_CODE, (UnblockMethod.HOLDER_PUK,)
_RELEASE = Keyless.WITH_RELEASE
STORIES = (
    Story("change", Kind.CHANGE),
    Story(
        "activate",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.NEVER,
        TRANSPORT,
        PASSWORD_BEFORE,
    ),
    Story(
        "activate by code",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.NEVER,
        TRANSPORT,
        PASSWORD_BEFORE,
        FirstPin.ACTIVATION_CODE,
    ),
    Story("unblock", Kind.UNBLOCK, tries=0),
    Story("finish", Kind.FINISH, sync=Sync.OUT_OF_STEP, password=PASSWORD_BEFORE),
    Story("change, RSA", Kind.CHANGE, algorithm=KeyAlgorithm.RSA_2048),
    Story("unblock, no 9E", Kind.UNBLOCK, tries=0, proves_itself=False),
    Story("unblock, holder's PUK", Kind.UNBLOCK, tries=0, unblock=_BY_HOLDER),
    Story("change, keyless", Kind.CHANGE, keyless=_RELEASE),
    Story("unblock, keyless", Kind.UNBLOCK, tries=0, keyless=_RELEASE),
    Story(
        "activate by code, keyless",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.NEVER,
        TRANSPORT,
        PASSWORD_BEFORE,
        _BY_CODE,
        keyless=_RELEASE,
    ),
    _never_activated(""),
    _never_activated(", no 9E", proves_itself=False),
    _never_activated(", by code", first_pin=_BY_CODE),
    _never_activated(", by code, no 9E", first_pin=_BY_CODE, proves_itself=False),
    _never_activated(
        ", by code, holder's PUK, no 9E",
        first_pin=_BY_CODE,
        unblock=_BY_HOLDER,
        proves_itself=False,
    ),
)

PLAIN = 5
"""The first of them: one for each kind of operation and first PIN."""


class History:
    """One world in which one story happens."""

    def __init__(self, story: Story, registry: Registry | None = None) -> None:
        self.story = story
        self.world = World(registry=registry)
        assert isinstance(self.world.directory, SimulatedDirectory)
        self.domain: SimulatedDirectory = self.world.directory
        self.world.add_template(
            Template(
                name="staff",
                first_pin=story.first_pin,
                unblock=story.unblock,
                keyless=story.keyless,
            )
        )
        guid = self.world.directory.add_account(
            "alice", display_name="Alice Arnold", password=Secret(story.password)
        )
        made, self.puk = self.world.make_card(
            "Alice Arnold",
            pin=story.pin,
            algorithm=story.algorithm,
            options=story.options,
            with_card_authentication=story.proves_itself,
        )
        made.card.set_tries(pin=story.tries)
        by_code = story.first_pin is FirstPin.ACTIVATION_CODE
        self.holder: SimulatedHolder = self.world.register(
            "alice",
            made,
            self.puk,
            account_guid=guid,
            template="staff",
            state=story.state,
            sync=story.sync,
            keyless=story.keyless is not Keyless.OFF,
            transport_pin=Secret(story.pin) if by_code else None,
        )
        self.died = False

    # --- acting -----------------------------------------------------------------

    def attempt(self, spoil: Callable[[World], None] | None = None) -> Result | None:
        """Let the story happen; None: no result was shown. Faults begin at submit."""
        return self._visit(self.story.kind, spoil)

    def _visit(
        self, kind: Kind, spoil: Callable[[World], None] | None = None
    ) -> Result | None:
        self.world.readers.pull()
        self.world.readers.faults.set()
        visit = self.world.visit(self.world.readers.insert(self.holder.made.card))
        visit.recognise()
        form = visit.begin(kind)
        values = {name: self._typed(name) for name in form.fields}
        answers = Answers(values, confirmed=True)
        self.world.readers.faults.set()
        if spoil is not None:
            spoil(self.world)
        try:
            return visit.submit(form, answers, lambda progress: None)
        except (ProcessDied, KioskError, RegistryError):
            self.died = True
            return None
        finally:
            assert all(not value for value in values.values()), "a typed value survived"

    def visit_with(self, old: bytes, new: bytes) -> str:
        """Change the PIN; return the outcome, or why it was refused."""
        self.world.readers.pull()
        visit = self.world.visit(self.world.readers.insert(self.holder.made.card))
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {FieldName.OLD_PIN: Secret(old), FieldName.NEW_PIN: Secret(new)}
        result = visit.submit(form, Answers(typed), lambda progress: None)
        refused = result.outcome is Outcome.REFUSED
        return result.headline.key if refused else result.outcome

    def _typed(self, name: FieldName) -> Secret:
        match name:
            case FieldName.OLD_PIN | FieldName.CURRENT_PIN:
                return Secret(self.card_pin())
            case FieldName.TRANSPORT_PIN:
                return Secret(self.story.pin)
            case FieldName.PUK:
                return self.puk.copy()
            case FieldName.RELEASE_CODE:
                return self.world.release_code("alice")
            case FieldName.ACTIVATION_CODE:
                return self.world.activation_code("alice")
            case _:
                return Secret(self._next_pin())

    def _next_pin(self) -> bytes:
        return NEW if self.card_pin() != NEW else b"926535"

    def come_home(self) -> None:
        """Visit again, with nothing going wrong, until card and directory agree."""
        self.world.directory.heal()
        self.world.restart()
        self.world.clock.sleep(120.0)
        for _ in range(3):
            if self.is_in_step():
                return
            kind = self.home_screen()
            assert kind is not None, f"no way home: {self.home_screen()}"
            self._visit(kind)

    def home_screen(self) -> Kind | None:
        """Insert the card and return what the kiosk recommends."""
        self.world.readers.pull()
        self.world.readers.faults.set()
        visit = self.world.visit(self.world.readers.insert(self.holder.made.card))
        home = visit.recognise()
        return next((offer.kind for offer in home.actions if offer.recommended), None)

    def why_not(self, kind: Kind) -> str:
        """Insert the card and return why an action is greyed; empty: it is not."""
        self.world.readers.pull()
        home = self.world.visit(
            self.world.readers.insert(self.holder.made.card)
        ).recognise()
        reason = next(each.reason for each in home.actions if each.kind is kind)
        return reason.key if reason is not None else ""

    def seen(self, limits: CardLimits) -> SeenCard:
        """What a station sees of the card now."""
        left = self.holder.made.card.pin_tries_left
        return SeenCard(limits=limits, tries_left=left)

    def prepare(self, kind: Kind, limits: CardLimits) -> Prepared:
        """Prepare an operation as the kiosk does for somebody who was told all."""
        return self.world.authority.port.prepare(
            PrepareRequest(
                credential=self.holder.credential,
                kind=kind,
                seen=self.seen(limits),
                announced=self.announced(limits),
            )
        )

    def announced(self, limits: CardLimits) -> Announced:
        """What somebody would be told who inserts the card now."""
        case = self.world.authority.port.open(
            OpenRequest(card=self.holder.made.identity.key, seen=self.seen(limits))
        )
        return Announced(
            password_follows=case.password_follows,
            why_not=case.why_not,
            changed_elsewhere=case.changed_elsewhere,
            rules=case.rules,
            seen=ToldSeen.of(case.seen),
        )

    # --- observing ---------------------------------------------------------------

    def card_pin(self) -> bytes:
        """The PIN that the card really has."""
        known = (OLD, NEW, TRANSPORT, b"926535", b"846257")
        return next(pin for pin in known if self.holder.made.card.has_pin(pin))

    def agrees(self) -> bool:
        """Say whether card PIN and directory password are the same."""
        with Secret(self.card_pin()) as pin:
            return self.world.directory.binds(self.holder.account_guid, pin)

    def sync(self) -> Sync:
        return self.world.credential("alice").sync

    def is_in_step(self) -> bool:
        return self.agrees() and self.sync() is Sync.IN_STEP

    def look(self) -> None:
        """The next look at the card, at any station: unfinished business is ended."""
        self.world.directory.heal()
        self.world.restart()
        self.world.clock.sleep(120.0)
        self.home_screen()

    # --- what must always hold -----------------------------------------------------

    def assert_invariants(self, result: Result | None) -> None:
        """I1, I2, I3, I4, I6 by independent observation."""
        credential = self.world.credential("alice")
        events = list(self.world.registry.audit_events())
        assert audit.verify(events).is_sound
        assert unproven_writes(events) == []
        writings = [e for e in events if e.kind == "operation.writing"]
        authorised = [e for e in events if e.kind == "operation.authorised"]
        assert len(self.world.directory.writes) <= len(writings) <= len(authorised)
        if credential.sync is Sync.IN_STEP:
            assert self.agrees(), "in step, says the registry; they are not"
        if result is not None and result.outcome is Outcome.DONE:
            assert self.is_in_step()
        if result is not None and result.outcome is Outcome.REFUSED:
            assert self.card_pin() == self.story.pin, "refused, but the card changed"
        if result is not None and result.outcome is Outcome.ROLLED_BACK:
            assert self.card_pin() == self.story.pin
            assert self.world.directory.writes == []
        if self.story.tries != 0:
            assert self.holder.made.card.pin_tries_left >= 2, "a try was lost"
