"""The scenario language: what is given, what people do, what must be true then.

A scenario is a TOML file, strict: an unknown key is an error that names file, place
and the nearest right key. PINs in it are test data. docs/rehearsals.md explains it
with examples.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from kiosk.config import OperatorRole
from kiosk.config.sections.operators import Second
from kiosk.core.errors import KioskError, reason_of
from kiosk.simulation.cards.faults import AnyCardFault
from kiosk.simulation.cards.options import PivOptions, Variant, changed
from kiosk.simulation.domain_faults import AnyFault
from kiosk.visit.views import FieldName, Outcome
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import Sync, Template


class ScenarioError(KioskError):
    """A scenario file cannot be understood: `file`, `problem`."""

    code = "rehearsal.scenario_error"


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a scenario."""


# --- given -------------------------------------------------------------------


class GivenPolicy(Part, frozen=True, kw_only=True):
    """The domain's password policy."""

    minimum_length: int = 6
    complexity: bool = False
    lockout_threshold: int = 0
    maximum_age_days: float = 0.0
    """After how many days a password expires; 0: never."""


class GivenAccount(Part, frozen=True, kw_only=True):
    """A user in the directory."""

    name: str
    display_name: str = ""
    password: str = ""
    enabled: bool = True
    locked: bool = False
    expired: bool = False
    privileged: bool = False
    smart_card_required: bool = False
    delegated: bool = True
    roles: tuple[OperatorRole, ...] = ()
    """What the account is as an operator: its groups say so."""
    details: tuple[str, ...] = ()
    """Department, title …: what tells two people of one name apart."""


class GivenProfile(Part, frozen=True, kw_only=True):
    """What the site has bound itself to."""

    fips_201: bool = False
    second_factor: bool = False


class GivenDesk(Part, frozen=True, kw_only=True):
    """What the site has decided about its operators."""

    with_account: bool = True
    second_operator: tuple[Second, ...] = ()
    questions: tuple[str, ...] = ()


class Make(StrEnum):
    """What kind of card it is."""

    PIV = "piv"
    YUBIKEY = "yubikey"
    GIDS = "gids"
    """Windows' generic minidriver card, with an administrator key in escrow."""
    IDPRIME = "idprime"
    """A card that only its vendor's middleware speaks to. It has no PUK."""


class GivenCard(Part, frozen=True, kw_only=True):
    """A card. `account` empty: nobody has registered it."""

    name: str
    pin: str = ""
    make: Make = Make.PIV
    blank: bool = False
    """As it leaves the factory (PIV cards, YubiKeys and GIDS cards): to be issued at
    the desk to `account`."""
    puk: str = ""
    """What unblocks it; silent: PIV cards have one in escrow, GIDS cards none."""
    touch: bool = False
    """YubiKeys: a signature waits for a touch."""
    missed_touches: int = 0
    """How many times nobody comes to touch it; the kiosk asks twice."""
    account: str = ""
    template: str = "staff"
    state: State = State.ACTIVE
    sync: Sync = Sync.IN_STEP
    key: str = "P-256"
    keyless: bool = False
    variant: Variant | None = None
    behaves: dict[str, bool | int | float | str] = {}
    """PIV cards and YubiKeys: fields of `PivOptions`, by name."""
    tries_left: int | None = None
    looks_like: str = ""
    """Carries the public identity of that other card, with keys of its own."""
    card_authentication: bool = True

    def __post_init__(self) -> None:
        """Refuse what there is not; the error names the card's place."""
        if bool(self.pin) is self.blank:
            raise ValueError("pin: a card has one, unless it is blank")
        if self.blank and self.make is Make.IDPRIME:
            raise ValueError("blank: such a card comes from its vendor's own tools")
        try:
            changed(PivOptions(), self.behaves)
        except msgspec.ValidationError as error:
            raise ValueError(f"behaves: {error}") from error


# --- steps -------------------------------------------------------------------


class Do(Part, frozen=True, kw_only=True, tag_field="do"):
    """Base of all steps."""


class Insert(Do, frozen=True, kw_only=True, tag="insert"):
    """Somebody inserts a card; the kiosk recognises it."""

    card: str
    at: str = ""
    """The station; silent: where the last step was."""


class Pull(Do, frozen=True, kw_only=True, tag="pull"):
    """The card is taken out."""

    at: str = ""


class Choose(Do, frozen=True, kw_only=True, tag="choose"):
    """Somebody chooses an action on the home screen."""

    action: Kind
    at: str = ""


class Type(Do, frozen=True, kw_only=True, tag="type"):
    """Somebody fills in the form and goes on. `@name` is a code kept earlier."""

    values: dict[FieldName, str]
    confirm: bool = False
    at: str = ""


class Operate(Do, frozen=True, kw_only=True, tag="operate"):
    """An operator acts on a card."""

    card: str
    event: Event


class HandOut(Do, frozen=True, kw_only=True, tag="hand_out"):
    """The helpdesk gives a code, kept under a name."""

    card: str
    code: str
    """`release` or `activation`."""
    keep: str = "code"


class ScenarioSignIn(Do, frozen=True, kw_only=True, tag="sign_in"):
    """An operator signs in at the desk: with the own card, or by account."""

    card: str = ""
    pin: str = ""
    account: str = ""
    password: str = ""


class AtDesk(Do, frozen=True, kw_only=True, tag="desk"):
    """The operator at the desk, in this order: a card, a choice, fields, back."""

    insert: str = ""
    """A card of the scenario comes into the desk's second reader."""
    pull: bool = False
    choose: str = ""
    """The key of a choice; `first` is the first that is open."""
    fill: dict[str, str] = {}
    """Fields and what is typed; the rest stays as it stands."""
    secrets: dict[str, str] = {}
    """As `fill`, for fields that are not shown. `@name` was kept earlier."""
    submit: bool = False
    """The page's action, where nothing is filled in."""
    keep: str = ""
    """Keep what is to be read out under a name."""
    back: int = 0
    sign_out: bool = False


class ShowChallenge(Do, frozen=True, kw_only=True, tag="read_challenge"):
    """The holder reads the challenge on the form; it is kept under a name."""

    keep: str
    at: str = ""


class ScenarioDirectory(Do, frozen=True, kw_only=True, tag="directory"):
    """Something happens in the directory."""

    fault: AnyFault | None = None
    heal: bool = False
    account: str = ""
    password: str = ""
    """Set elsewhere."""
    must_change: bool = False
    """That password, at the next logon."""
    change: dict[str, str | bool | int] = {}
    """Fields of the account, e.g. `enabled = false`."""


class ScenarioCardFault(Do, frozen=True, kw_only=True, tag="card_fault"):
    """Something will go wrong with the card in the reader."""

    fault: AnyCardFault


class Meanwhile(Do, frozen=True, kw_only=True, tag="meanwhile"):
    """Before or after a step of the authority, something happens.

    `act`: `die` (the process), or an event for `card` by an operator.
    """

    act: str
    before: str = ""
    after: str = ""
    card: str = ""


class Wait(Do, frozen=True, kw_only=True, tag="wait"):
    """Time passes."""

    seconds: float = 0.0
    days: float = 0.0


class Restart(Do, frozen=True, kw_only=True, tag="restart"):
    """The station's process starts anew."""


class Expect(Do, frozen=True, kw_only=True, tag="expect"):
    """What must be true now. Everything named must hold; silence allows anything."""

    at: str = ""
    """The station whose screen is meant; silent: where the last step was."""
    page: str | None = None
    """The name of the operators' page."""
    page_notice: str | None = None
    page_refused: dict[str, str] = {}
    """Choice → key of why it is greyed; empty: it is open."""
    page_shows: tuple[str, ...] = ()
    """Keys of lines, or texts that occur in one."""
    home: str | None = None
    """Key of the home screen's headline, or of the error in its place."""
    allowed: tuple[Kind, ...] | None = None
    """Exactly these actions are offered."""
    refused: dict[Kind, str] = {}
    """Action → key of its reason."""
    notices: tuple[str, ...] = ()
    confirm: str | None = None
    fields: tuple[FieldName, ...] | None = None
    outcome: Outcome | None = None
    headline: str | None = None
    facts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    card: str = ""
    """Whose card, credential and account the rest is about; default: the last."""
    pin_is: str | None = None
    tries_left: int | None = None
    state: State | None = None
    sync: Sync | None = None
    reason: str | None = None
    password_is: str | None = None
    writes: int | None = None
    """Passwords written by anybody since the beginning."""
    puk_rotated: bool | None = None
    audit: tuple[str, ...] = ()
    """Kinds of events, in this order among others."""


Step = (
    Insert
    | Pull
    | Choose
    | Type
    | Operate
    | HandOut
    | ScenarioSignIn
    | AtDesk
    | ShowChallenge
    | ScenarioDirectory
    | ScenarioCardFault
    | Meanwhile
    | Wait
    | Restart
    | Expect
)


class Scenario(Part, frozen=True, kw_only=True):
    """One story."""

    title: str
    story: str
    steps: tuple[Step, ...]
    templates: tuple[Template, ...] = (Template(name="staff"),)
    policy: GivenPolicy = GivenPolicy()
    profile: GivenProfile = GivenProfile()
    desk: GivenDesk = GivenDesk()
    accounts: tuple[GivenAccount, ...] = ()
    cards: tuple[GivenCard, ...] = ()


_LARGEST = 1 << 20
"""Bytes of a scenario."""


def read(path: Path) -> Scenario:
    """Read one scenario file. ScenarioError."""
    try:
        with path.open("rb") as stream:  # of a device, not for ever
            return msgspec.toml.decode(stream.read(_LARGEST), type=Scenario)
    except OSError as error:
        problem = reason_of(error)
        raise ScenarioError(file=str(path), problem=problem) from error
    except UnicodeDecodeError as error:
        problem = f"no UTF-8 at byte {error.start}"
        raise ScenarioError(file=str(path), problem=problem) from None
    except msgspec.DecodeError as error:
        raise ScenarioError(file=str(path), problem=str(error)) from error


def shipped() -> list[Path]:
    """Return the scenarios that come with the product, in the order of their names."""
    return sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
