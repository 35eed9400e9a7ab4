"""What a visit shows and what it asks for: the only things a face knows.

Values with `Message`s in them; a face puts them into words with
`kiosk.texts.sentence`. `person` and `account` are outside text and must pass
through `kiosk.core.untrusted_text.visible`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from kiosk.cards.values import Tries
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.rules import PinRules
from statemachine.lifecycle import State
from statemachine.operation import Kind

# --- steps as they happen ----------------------------------------------------

if TYPE_CHECKING:  # a kiosk that starts shows its first screen without it
    from storage.records import Sync


class VisitStep(StrEnum):
    """What a person sees happening; `step.<value>` in the catalogue."""

    CHECK = "check"
    """Asking everybody who could refuse."""
    PROVE = "prove"
    """The card takes the old PIN (or the release) and signs."""
    AUTHORISE = "authorise"
    CARD = "card"
    """The PIN on the card changes."""
    PASSWORD = "password"  # noqa: S105 - the name of a step
    """The directory takes the same value."""
    TOUCH = "touch"
    """Somebody has to touch the card's contact."""
    PAD = "pad"
    """PINs are typed at the reader's own keys."""
    RESTORE = "restore"
    """The card is given its old PIN back."""


class StepState(StrEnum):
    """How a step stands."""

    RUNNING = "running"
    LONG = "long"
    """It runs still, and takes longer than usual."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step has begun or ended, or takes long."""

    step: VisitStep
    state: StepState
    card_may_go: bool = False
    """Of one that takes long: the card is not needed any more."""


# --- home --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActionOffer:
    """One thing a person could do, greyed with its reason where not allowed."""

    kind: Kind
    allowed: bool
    reason: Message | None
    recommended: bool
    """At most one: what most people in this situation came for."""
    needs: FieldName | None = None
    """What has to be at hand before it is begun: a code, a letter, a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The recognised card, judged."""

    credential: str
    person: str
    account: str
    state: State
    sync: Sync
    tries: Tries
    headline: Message
    notices: tuple[Message, ...]
    actions: tuple[ActionOffer, ...]


# --- forms -------------------------------------------------------------------


class FieldName(StrEnum):
    """What a form asks for; `field.<value>` in the catalogue."""

    OLD_PIN = "old_pin"
    TRANSPORT_PIN = "transport_pin"
    CURRENT_PIN = "current_pin"
    NEW_PIN = "new_pin"
    """Asked twice by the face; the visit gets it once."""
    RELEASE_CODE = "release_code"
    ACTIVATION_CODE = "activation_code"
    PUK = "puk"
    ADMIN_RESPONSE = "admin_response"
    """What the helpdesk read out in answer to the card's challenge."""


FROM_ELSEWHERE = frozenset(
    {
        FieldName.TRANSPORT_PIN,
        FieldName.RELEASE_CODE,
        FieldName.ACTIVATION_CODE,
        FieldName.PUK,
        FieldName.ADMIN_RESPONSE,
    }
)
"""What somebody gives to the person, on paper or by telephone."""


@dataclass(frozen=True, slots=True)
class CardChallenge:
    """What the card wants answered, as a person reads it out."""

    spoken: str
    """Five groups of four digits and a check digit."""
    hex: str
    """The same as other programs show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What to type for one action, and what to know before typing."""

    kind: Kind
    fields: tuple[FieldName, ...]
    rules: PinRules | None
    """For NEW_PIN; None where none is asked."""
    old_limits: tuple[int, int]
    """Minimum and maximum characters of the PIN the card has now."""
    tries: Tries
    password_follows: bool
    notices: tuple[Message, ...]
    challenge: CardChallenge | None = None
    """To be read out to the helpdesk; the card is held until the form is left."""
    confirm: Message | None
    """To be confirmed before anything is typed (only the card will change, a
    password changed elsewhere will be overwritten)."""


class Answers:
    """What was typed. The visit wipes it when `submit` ends, however it ends."""

    __slots__ = ("confirmed", "values")

    def __init__(
        self, values: dict[FieldName, Secret], *, confirmed: bool = False
    ) -> None:
        self.values = values
        self.confirmed = confirmed

    def wipe(self) -> None:
        """Wipe every value."""
        for value in self.values.values():
            value.wipe()

    def __repr__(self) -> str:
        return f"Answers({', '.join(self.values)})"


# --- results -----------------------------------------------------------------


class Outcome(StrEnum):
    """How an operation ended."""

    DONE = "done"
    CARD_ONLY = "card_only"
    """The card changed; the password did not follow, as announced."""
    REFUSED = "refused"
    """Nothing changed anywhere (a wrong PIN cost a try)."""
    ROLLED_BACK = "rolled_back"
    OUT_OF_STEP = "out_of_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What changed where, what did not, and what to do next."""

    outcome: Outcome
    headline: Message
    facts: tuple[Message, ...] = ()
    advice: tuple[Message, ...] = ()
    event: str = ""
    """The number the helpdesk can find this operation by."""
    again: Kind | None = None
    """The person may go straight back to this form (begin it again)."""
    is_another: bool = False
    """That is another task than the one that ended."""
    tries: Tries | None = None


# --- the façade --------------------------------------------------------------


class VisitPort(Protocol):
    """One card, from recognition to its leaving. Every call blocks and runs on the
    card worker's thread. Raises `CardError`s only when nothing has been changed by
    this visit yet or the card left; results say everything else.
    """

    def recognise(self) -> Home:
        """Recognise the card and ask the authority. May be called again.

        NotOnRecord, CardErrors, DirectoryErrors and RegistryErrors come out.
        """

    def begin(self, kind: Kind) -> Form:
        """Say what an allowed action asks for."""

    def leave(self) -> None:
        """Let go of a card that a form held; the person went back. Safe twice."""

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        """Do it. `emit` is called on this thread as steps begin and end."""

    def close(self) -> None:
        """Let go of the card. Safe to call twice."""
