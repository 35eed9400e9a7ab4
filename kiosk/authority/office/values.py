"""What an operator asks of the office and is told: plain values, and what it refuses.

Nothing here says who asks: that is the session's. A credential leaves without what is
sealed in it (`shown`), and a secret only as a `Secret`, which whoever gets it wipes.
"""

from __future__ import annotations

from enum import StrEnum

from kiosk.authority.office.list_values import Visited
from kiosk.authority.office.operators import Action
from kiosk.authority.values import Value
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import ApprovalKind, AuditEvent, Credential, Template

MOST = 100
"""How many a list has at most; a list of so many may be cut."""

# --- signing in --------------------------------------------------------------


class OfficeRules(Value, frozen=True, kw_only=True):
    """What a desk has to know of a site's rules before anybody is signed in."""

    with_account: bool
    """Operators may sign in with account name and password."""
    second_for: frozenset[Action]
    """What needs two operators."""


class SignInChallenge(Value, frozen=True, kw_only=True):
    """What the operator's own card signs, after its PIN."""

    credential: str
    nonce: bytes
    message: bytes
    key_slot: str
    key_algorithm: str


class SignInProof(Value, frozen=True, kw_only=True):
    """The card's answer to a challenge."""

    credential: str
    nonce: bytes
    signature: bytes


# --- looking -----------------------------------------------------------------


class Holder(Value, frozen=True, kw_only=True):
    """Somebody a card is for. All of it is raw: show it `visible`."""

    guid: str
    """objectGUID."""
    account: str
    """userPrincipalName; of people who were looked for, else the account name."""
    name: str
    details: tuple[str, ...] = ()
    """What tells two people of one name apart: department, title, mail …"""


class OpenCode(Value, frozen=True, kw_only=True):
    """A code that may still be used."""

    kind: ApprovalKind
    expires_at: float


class CredentialView(Value, frozen=True, kw_only=True):
    """Everything about one credential. Names in it are outside text."""

    credential: Credential
    template: Template
    holder_may: dict[Kind, Message | None]
    """What the holder may do at a kiosk; None: nothing refuses it."""
    operator_may: dict[Event, Message | None]
    """What may happen to it through an operator."""
    may_become: tuple[State, ...]
    """Where the lifecycle leads from here, whoever does it."""
    visits: tuple[Visited, ...]
    """The holder's last ones, the newest first."""
    codes: tuple[OpenCode, ...]
    history: tuple[AuditEvent, ...]
    """The newest events, oldest first."""
    missing: tuple[Message, ...] = ()
    """Sealed evidence that is not there, or damaged."""


class LockoutSeen(Value, frozen=True, kw_only=True):
    """Wrong passwords that one domain controller has counted for a holder."""

    dc: str
    bad_passwords: int
    last_bad: float | None
    """Seconds UTC; None: never."""
    locked: bool


class UnprovenWrite(Value, frozen=True, kw_only=True):
    """One write that the evidence does not carry, and why."""

    station: str
    seq: int
    reason: Message


COUNTED_FIELDS = frozenset(
    {
        "card_type",
        "self_service",
        "unblock",
        "key_algorithm",
        "keyless",
        "pin_policy.update_ad_password",
        "pin_policy.expiry_days",
    }
)
"""Fields of a template by which cards can lose something that is counted."""


class TemplateMeaning(Value, frozen=True, kw_only=True):
    """What a template would mean for the cards that use it."""

    is_whole: bool
    """Every card was looked at; else the numbers are of those looked at so far."""
    in_use: int
    """Cards of any version that are neither revoked nor retired."""
    versions: dict[int, int]
    """How many of them have which version."""
    loses: dict[str, int]
    """How many could no longer what a field let them, by the field's name."""
    impossible: Message | None
    """Why no PIN or card could satisfy it; whether the domain's rules let one is asked
    when it is checked.
    """


class JudgedEvidence(Value, frozen=True, kw_only=True):
    """What all evidence shows, by the authority's own key."""

    damage: Message | None
    """Where it is not whole."""
    unproven: tuple[UnprovenWrite, ...]
    """Not looked for where it is not whole."""
    told: tuple[Message, ...]
    """What it shows; empty: something is wrong with it."""
    is_anchored: bool
    """Something known from elsewhere vouches for it."""


class Receipt(Value, frozen=True, kw_only=True):
    """One operation, followed through the evidence."""

    number: str
    """What a person calls it."""
    holder: str
    events: tuple[AuditEvent, ...]
    unproven: Message | None
    """Why a write that it carries is not proven; None: each is."""
    wrote: bool


class RiskFinding(StrEnum):
    """What can be wrong; `risk.<value>` says it in a sentence."""

    SHORT_NUMERIC = "short_numeric"
    SHORT = "short"
    NO_LOCKOUT = "no_lockout"
    SMART_CARD_REQUIRED = "smart_card_required"
    PRIVILEGED = "privileged"
    UNSATISFIABLE = "unsatisfiable"
    OUT_OF_STEP = "out_of_step"
    CHANGED_ELSEWHERE = "changed_elsewhere"
    """In step, as far as was known: somebody has set another password since."""
    MARK_HIDDEN = "mark_hidden"
    """The directory's own mark may not be read: other hands are not all seen."""
    KEYLESS = "keyless"
    PUK_FACTORY = "puk_factory"
    PUK_DUE = "puk_due"
    PUK_NOT_TAKEN = "puk_not_taken"
    PUK_USED_UP = "puk_used_up"
    ACCOUNT_GONE = "account_gone"
    UNKNOWN = "unknown"
    """The directory did not say."""


THE_DOMAINS = "domain"
"""What the directory calls the domain's own policy, among its fine-grained ones."""


class Risk(Value, frozen=True, kw_only=True):
    """One finding about one credential. Names are outside text."""

    finding: RiskFinding
    credential: str
    holder: str
    account: str
    template: str
    detail: str = ""
    """A number, a rule or a code."""


class Report(Value, frozen=True, kw_only=True):
    """All findings, and of how many accounts nothing could be seen."""

    risks: tuple[Risk, ...]
    accounts: int
    """That were to be looked at in the directory."""
    unseen: int


# --- deciding ----------------------------------------------------------------


class GivenCode(Value, frozen=True, kw_only=True):
    """A code to be shown once and wiped, and how long it may be used."""

    code: Secret
    validity: Message


class CodeInUse(Value, frozen=True, kw_only=True):
    """How far the holder has come with a code."""

    given_at: float
    seconds_left: int
    """0: it has run out, was void, or is spent."""
    wrong_entries: int
    visit: Visited | None
    """Where it was typed; None: nowhere yet."""
