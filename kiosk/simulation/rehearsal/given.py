"""What a scenario starts from: the domain and its people, the cards, the site.

Strict, as everything in a scenario: an unknown key is an error that names its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.config import OperatorRole
from kiosk.config.sections.operators import Second
from kiosk.directory.values import PasswordPolicy
from kiosk.simulation.cards.options import PivOptions, Variant, changed
from statemachine.lifecycle import Lifecycle, State
from storage.records import Sync, Template

DAY = 86_400.0


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a scenario."""


class GivenPolicy(Part, frozen=True, kw_only=True):
    """The domain's password policy."""

    minimum_length: int = 6
    complexity: bool = False
    lockout_threshold: int = 0
    maximum_age_days: float = 0.0
    """After how many days a password expires; 0: never."""

    def policy(self) -> PasswordPolicy:
        """Return it as a controller tells it."""
        days = self.maximum_age_days
        return PasswordPolicy(
            source="domain",
            minimum_length=self.minimum_length,
            complexity=self.complexity,
            history=5,
            minimum_age=0.0,
            maximum_age=days * DAY if days else None,
            lockout_threshold=self.lockout_threshold,
        )


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

    def profile(self) -> ComplianceProfile:
        """Return it as the authority judges by it."""
        return ComplianceProfile(
            fips_201=self.fips_201, second_factor=self.second_factor
        )


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


class Given(Part, frozen=True, kw_only=True):
    """The world of one story."""

    templates: tuple[Template, ...] = (Template(name="staff"),)
    policy: GivenPolicy = GivenPolicy()
    profile: GivenProfile = GivenProfile()
    desk: GivenDesk = GivenDesk()
    accounts: tuple[GivenAccount, ...] = ()
    cards: tuple[GivenCard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """A site's own rules, in place of a scenario's; empty: nothing is replaced."""

    templates: tuple[Template, ...] = ()
    lifecycle: Lifecycle | None = None
    profile: ComplianceProfile | None = None
    policy: PasswordPolicy | None = None
    """The domain's own, as it is today."""
