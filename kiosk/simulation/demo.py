"""The demo: a world of people with cards in every situation, moved by hand."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.core.workers import SerialWorker
from kiosk.faces.demo_deck import DemoCard
from kiosk.faces.wording import say
from kiosk.pin.codes import grouped
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.face_settings import IN_EVERY_LANGUAGE
from kiosk.simulation.world import World
from statemachine.lifecycle import State
from storage.records import Credential, FirstPin, Sync, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One card of the cast."""

    name: str
    person: str
    pin: bytes
    state: State = State.ACTIVE
    sync: Sync = Sync.IN_STEP
    template: str = "staff"
    tries: int | None = None
    privileged: bool = False
    password: bytes = b""
    """Of the directory; the PIN when empty."""


CAST = (
    Role(
        name="everyday",
        person="Alice Arnold",
        pin=b"271828",
    ),
    Role(
        name="first day",
        person="Bob Baker",
        pin=b"482915",
        state=State.ISSUED,
        password=b"Welcome-2026",
    ),
    Role(
        name="blocked",
        person="Carol Clark",
        pin=b"161803",
        tries=0,
    ),
    Role(
        name="last try",
        person="Dan Dixon",
        pin=b"141421",
        tries=1,
    ),
    Role(
        name="out of step",
        person="Erin Evans",
        pin=b"173205",
        sync=Sync.OUT_OF_STEP,
        password=b"old-password",
    ),
    Role(
        name="administrator",
        person="Frank Fisher",
        pin=b"223606",
        privileged=True,
    ),
    Role(
        name="suspended",
        person="Grace Green",
        pin=b"244948",
        state=State.SUSPENDED,
    ),
    Role(
        name="by code",
        person="Heidi Hall",
        pin=b"264575",
        state=State.ISSUED,
        template="by code",
        password=b"Welcome-2026",
    ),
)
STRANGER_PIN = b"111222"


class Demo:
    """`demo_deck.DemoDeck` and the station it belongs to."""

    def __init__(self) -> None:
        self.readers = SimulatedReaders()
        self.everywhere = [self.readers]
        """All readers that one of the cards may be in."""
        clock, entropy = SystemClock(), SystemEntropy()
        self.domain = SimulatedDirectory(clock, entropy)
        self.world = World(
            readers=self.readers,
            clock=clock,
            entropy=entropy,
            domain=self.domain,
            card_worker=SerialWorker("card"),
            authority_worker=SerialWorker("authority"),
            settings=IN_EVERY_LANGUAGE,
        )
        self.world.add_template(Template(name="staff"))
        self.world.add_template(
            Template(name="by code", first_pin=FirstPin.ACTIVATION_CODE)
        )
        self.physical: list[SimulatedPivCard] = []
        """The cards themselves, in the order of the cast."""
        self._last: Role | None = None
        self._was_chosen = False
        """The helpdesk knows which card is spoken of."""
        for role in CAST:
            self.physical.append(add_to(self.world, role))
        stranger, _ = self.world.make_card("stranger", pin=STRANGER_PIN)
        self.physical.append(stranger.card)

    # --- demo_deck.DemoDeck -------------------------------------------------------

    @property
    def cards(self) -> tuple[DemoCard, ...]:
        within = self._last if self.readers.has_card() else None
        return (
            *(shown(self.world, role, is_in=role is within) for role in CAST),
            DemoCard(
                say("demo.stranger"),
                say("demo.story.stranger"),
                say("demo.hint.pin", pin=STRANGER_PIN.decode()),
                say("demo.next.stranger"),
            ),
        )

    def insert(self, index: int) -> None:
        self.choose(index)
        self.take_out(self.physical[index])
        self.readers.pull()
        self.readers.insert(self.physical[index])

    def take_out(self, card: SimulatedPivCard) -> None:
        """A card that is put into one reader is in no other."""
        for readers in self.everywhere:
            readers.give(card)

    def choose(self, index: int) -> None:
        """Remember whose card it is that is put into a reader somewhere."""
        self._last = CAST[index] if index < len(CAST) else None
        self._was_chosen = True

    def pull(self) -> None:
        self.readers.pull()

    def release_code(self) -> str:
        if not self._was_chosen:
            return say("demo.helpdesk.insert_first")
        if self._last is None:
            return say("demo.helpdesk.unknown")
        make = self.world.release_code
        if self.needs_activation(self._last.name):
            make = self.world.activation_code
        with make(self._last.name) as code:
            return say("demo.helpdesk.code", code=grouped(code))

    def needs_activation(self, name: str) -> bool:
        """Say whether the code that somebody asks for now is one for a first PIN."""
        return self.world.credential(name).state is State.ISSUED

    def note(self) -> str:
        if self._last is None:
            return ""
        credential = self.world.credential(self._last.name)
        return say("demo.registry", **words_of(credential))


def add_to(world: World, role: Role) -> SimulatedPivCard:
    """Put one of the cast into a world; return the card."""
    guid = world.directory.add_account(
        role.person.split()[0].lower(),
        display_name=role.person,
        password=Secret(role.password or role.pin),
        privileged=role.privileged,
    )
    made, puk = world.make_card(role.person, pin=role.pin)
    made.card.set_tries(pin=role.tries)
    by_code = role.template == "by code"
    world.register(
        role.name,
        made,
        puk,
        account_guid=guid,
        template=role.template,
        state=role.state,
        sync=_sync_of(role),
        transport_pin=Secret(role.pin) if by_code else None,
    )
    return made.card


def shown(world: World, role: Role, *, is_in: bool = False) -> DemoCard:
    """Return one of the cast as the tray shows it: what is true of it now."""
    now, card = world.credential(role.name), world.holders[role.name].made.card
    state = State.ACTIVE if now.state is State.BLOCKED else now.state
    tries = card.references.holder.total if role.tries is None else role.tries
    story = say(f"demo.story.{role.name.replace(' ', '_')}")
    if (state, now.sync, card.pin_tries_left) != (role.state, _sync_of(role), tries):
        story = say("demo.now", **words_of(now), tries=card.pin_tries_left)
    hint = say("demo.hint.pin", pin=pin_of(card))
    if now.state is State.ISSUED:
        hint = say("demo.hint.letter", pin=pin_of(card))
        if role.template == "by code":
            hint = say("demo.hint.code")
    following = say(f"demo.next.{_worth_trying(role, now, card, is_in=is_in)}")
    return DemoCard(role.person, story, hint, following)


def words_of(credential: Credential) -> dict[str, str]:
    """Return what a credential's state and agreement are called."""
    return {
        "state": say(f"desk.state.{credential.state}"),
        "sync": say(f"desk.sync.{credential.sync.replace(' ', '_')}"),
    }


def _worth_trying(
    role: Role, now: Credential, card: SimulatedPivCard, *, is_in: bool
) -> str:
    """Return what comes next in the story of this card: a key of `demo.next`."""
    if now.state is State.SUSPENDED:
        return "lift"
    if now.state is not State.ISSUED and not card.pin_tries_left:
        return "code"
    if now.state is State.ISSUED:
        following = "choose_by_code" if role.template == "by code" else "choose"
    elif now.sync is Sync.OUT_OF_STEP:
        following = "finish"
    elif card.pin_tries_left == 1:
        following = "last_try"
    elif (role.state, role.tries, _sync_of(role)) != (now.state, None, now.sync):
        following = "block"
    elif pin_of(card).encode() != role.pin:
        following = "other"
    else:
        following = "change"
    return following if is_in else f"{following}_first"


def _sync_of(role: Role) -> Sync:
    return Sync.NEVER if role.state is State.ISSUED else role.sync


def pin_of(card: SimulatedPivCard) -> str:
    """Return the PIN that a simulated card has now, as its holder knows it."""
    return bytes(card.references.holder.value).rstrip(b"\xff").decode("ascii")
