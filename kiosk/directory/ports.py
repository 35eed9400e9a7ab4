"""Active Directory as the authority sees it. This room's doors.

A `Directory` opens a `DomainController`: one verified TLS connection, bound as
the service account, to one DC, used for one operation and closed. What was
written on a DC is verified on the same DC. Called on the authority worker's
thread; every call ends within the configured timeouts. Only `DirectoryError`s
come out; anything else is a bug. No error carries a password.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret

MOST_PEOPLE = 100
"""That a search by name returns: whoever is not among them is found by more letters."""

# --- values ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who last set one attribute: part of the replication metadata of an object."""

    version: int
    """Raised by one at each set, by whomever; 0: never set."""
    origin: str
    """invocationId of the DC that set it, lower-case, hyphenated."""
    usn: int
    """That DC's own number of the change; one modify has one."""


@dataclass(frozen=True, slots=True)
class PwdReplicationMark:
    """The directory's own mark of a password: a logical clock, which replicates."""

    password: Stamp
    """Of `unicodePwd`: moved by every set, by whatever way."""
    moved: Stamp
    """Of `pwdLastSet`: a set by password moves both in one modify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user object as one DC shows it now. Names are raw: show them `visible`."""

    guid: str
    """objectGUID, lower-case, hyphenated."""
    dn: str
    sam_account_name: str
    user_principal_name: str
    display_name: str
    enabled: bool
    locked: bool
    expired: bool
    privileged: bool
    """adminCount is 1 or a protected group is in the token."""
    smart_card_required: bool
    pwd_last_set: int
    """100 ns since 1601; 0: must change at next logon."""
    password_never_expires: bool = False
    """Whatever the policy says of its age."""
    when_changed: str = ""
    mark: PwdReplicationMark | None = None
    """None: this DC does not let us read it."""

    def knows(self, other: Account) -> bool:
        """Say whether the password is as new as another DC's copy of it."""
        if self.mark is None or other.mark is None:
            return self.pwd_last_set >= other.pwd_last_set
        return self.mark.password.version >= other.mark.password.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody an officer looks for. All of it is raw: show it `visible`."""

    guid: str
    name: str
    account: str
    """userPrincipalName, or the account name where there is none."""
    details: tuple[str, ...] = ()
    """What tells two people of one name apart: department, title, mail …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """Wrong passwords that one DC has counted for an account."""

    bad_passwords: int
    """badPwdCount."""
    last_bad: float | None
    """badPasswordTime, seconds UTC; None: never."""
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """The rules this DC applies to one user's new password."""

    source: str
    """`domain`, or the name of the fine-grained policy (PSO)."""
    minimum_length: int
    complexity: bool
    history: int
    minimum_age: float
    """Seconds."""
    maximum_age: float | None
    """Seconds; None: never expires."""
    lockout_threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """The account that a connection is bound as. Times: seconds since 1970 UTC."""

    account: Account
    sid: bytes
    """objectSid (MS-DTYP 2.4.2.2)."""
    token: tuple[bytes, ...]
    """The SIDs of the account and of all its groups, nested ones too."""
    password_expires: float | None
    """None: never."""
    account_expires: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """An object, and who may do what to it."""

    dn: str
    sid: bytes
    """objectSid; empty: it is nobody."""
    descriptor: bytes
    """Owner and DACL (MS-DTYP 2.4.6); empty: it may not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One account of many; or why nothing can be said of it."""

    account: Account | None = None
    policy: PasswordPolicy | None = None
    trouble: DirectoryError | None = None
    """AccountMissing, PolicyUnreadable, ReadFailed."""


class BindResult(StrEnum):
    """What a bind as the user said (the sub-codes of LDAP result 49)."""

    OK = "ok"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of an answer
    EXPIRED_PASSWORD = "expired_password"  # noqa: S105 - the name of an answer
    MUST_CHANGE = "must_change"
    DISABLED = "disabled"
    ACCOUNT_EXPIRED = "account_expired"
    LOCKED = "locked"
    LOGON_HOURS = "logon_hours"
    """Not at this hour, or not from here."""
    NO_ANSWER = "no_answer"
    """Nothing was learnt: no answer, or one that says neither yes nor no."""


class Semantics(StrEnum):
    """What a DC asks of a password that somebody else sets."""

    RESET = "reset"
    """Its length and complexity."""
    POLICY_HINTS = "policy hints"
    """The history and the minimum age, too: as if its owner changed it."""


class Spread(StrEnum):
    """Whether a password that one DC has taken is known beyond it."""

    NOT_ASKED = "not_asked"
    KNOWN = "known"
    SPREADING = "spreading"
    """Not yet: it takes its time."""
    UNKNOWN = "unknown"
    """The DC that had to be asked could not be."""


class WriteRefusal(StrEnum):
    """Why a DC definitely did not take a password."""

    POLICY = "policy"
    """0000052D: length, complexity, history or age."""
    NO_RIGHT = "no_right"
    """The service account may not reset this one."""
    GONE = "gone"
    NOT_HERE = "not_here"
    """This DC cannot write, now or ever: it is busy, or only reads. Another may."""
    PROTECTED = "protected"
    """As NO_RIGHT, and the account is privileged: nobody delegates those."""
    OTHER = "other"


class WhyUnreachable(StrEnum):
    """Why a DC could not be had; `directory.why_unreachable.<value>`."""

    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    NAME_UNKNOWN = "name_unknown"
    NO_ROUTE = "no_route"
    CONNECTION_LOST = "connection_lost"
    BUSY = "busy"
    MALFORMED = "malformed"
    """It speaks, but not LDAP."""
    READ_ONLY = "read_only"
    """It takes no writes: a read-only DC."""


class WhyNoTrust(StrEnum):
    """Why a server's TLS does not convince; `directory.why_tls.<value>`."""

    UNTRUSTED = "untrusted"
    """Its chain ends in an authority that is not trusted here."""
    SELF_SIGNED = "self_signed"
    INCOMPLETE = "incomplete"
    """Its issuer is neither trusted here nor sent along."""
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    AUTHORITY_DATES = "authority_dates"
    """Not its own dates, but those of an authority above it."""
    WRONG_NAME = "wrong_name"
    NO_NAME = "no_name"
    """It has only a common name, which does not count."""
    WRONG_PURPOSE = "wrong_purpose"
    """Not for servers (extended key usage)."""
    CONSTRAINED = "constrained"
    """Its authority may not vouch for that name (name constraints)."""
    NO_AUTHORITY = "no_authority"
    """Something in its chain may not issue certificates."""
    WEAK = "weak"
    """A key or a signature that is too weak."""
    OTHER = "other"
    """`number`: what OpenSSL calls it (X509_V_ERR_…)."""
    NO_TLS = "no_tls"
    """It offers no TLS at all, or somebody in between took it away."""
    OLD_TLS = "old_tls"
    """Only versions before 1.2."""
    NO_CIPHER = "no_cipher"
    """It and we have no cipher in common."""
    PROTOCOL = "protocol"
    """`words`: what OpenSSL calls it."""
    CA_FILE = "ca_file"
    """Our own file of trusted certificates cannot be read: `file`."""


# --- errors ------------------------------------------------------------------

_NOTHING_SAID: dict[str, str | int] = {
    "names": "–",
    "issuer": "–",
    "number": 0,
    "words": "–",
    "file": "–",
}
"""What a reason's sentence may name, where nobody knows it."""


class DirectoryError(KioskError):
    """Root of what this room may raise."""

    code = "directory.error"
    reasons: ClassVar[str] = ""
    """Where the catalogue has the sentences for `reason`."""

    @property
    def detail(self) -> Message | None:
        """The reason in words for an administrator; None where there is none."""
        reason = self.data.get("reason")
        if not self.reasons or not reason:
            return None
        told = {**_NOTHING_SAID, **self.data, "answer": self.answer or "–"}
        return Message(f"{self.reasons}.{reason}", told)

    @property
    def answer(self) -> str:
        """What the DC itself answered: result, 8-digit code, words; empty: nothing."""
        parts = (self.data.get(name, "") for name in ("result", "hex", "said"))
        return " ".join(str(part) for part in parts if part != "")


class Unreachable(DirectoryError):
    """No DC answered: `dcs`, `reason` (WhyUnreachable, of the last one)."""

    code = "directory.unreachable"
    reasons = "directory.why_unreachable"


class TlsRefused(DirectoryError):
    """The server's TLS does not convince: `dc`, `reason` (WhyNoTrust).

    Where it showed a certificate: `names` (those in it) and `issuer`, both raw.
    """

    code = "directory.tls_refused"
    reasons = "directory.why_tls"


class ServiceBindRefused(DirectoryError):
    """The service account cannot sign in: `dc`, `reason` (BindResult or `other`)."""

    code = "directory.service_bind_refused"
    reasons = "directory.why_sign_in"


class ServicePasswordUnreadable(ServiceBindRefused):
    """The file with its password cannot be used: `dc`, `file`, `reason`.

    `reason`: `secret_unreadable`, `secret_exposed` or `secret_empty`.
    """

    code = "directory.service_password_unreadable"


class AccountMissing(DirectoryError):
    """No (or more than one) account fits: `account`."""

    code = "directory.account_missing"


class PolicyUnreadable(DirectoryError):
    """A fine-grained policy applies and its values may not be read: `policy`."""

    code = "directory.policy_unreadable"


class WriteRefused(DirectoryError):
    """The DC answered the write with a "no"; nothing was written there.

    `why` (WriteRefusal), `dc`, and the DC's own answer: `result` (LDAP code), `hex`
    (the 8-digit code), `said` (its words, made visible).
    """

    code = "directory.write_refused"

    def __init__(
        self, why: WriteRefusal, *, dc: str, hex: str, result: int, said: str = ""
    ) -> None:
        super().__init__(why=why.value, dc=dc, result=result, hex=hex, said=said)
        self.why = why


class SentTooLate(DirectoryError):
    """It was too late to send the write, so nothing was sent: `dc`."""

    code = "directory.sent_too_late"


class OutcomeUnknown(DirectoryError):
    """The write was sent and no answer came: it may have been applied: `dc`."""

    code = "directory.outcome_unknown"


class ReadFailed(DirectoryError):
    """A search was not answered as it should be: `dc`, `reason`.

    `reason`: `no_answer`, `busy` (that DC cannot now), `refused`, `malformed` or
    `hidden` (an attribute that we must know may not be read; `attribute`, where it is
    one of an account). Where the DC answered: `result`, `hex`, `said` as in
    WriteRefused.
    """

    code = "directory.read_failed"
    reasons = "directory.why_read"

    @property
    def message(self) -> Message:
        """Silence, and what may not be read, are not a bad answer."""
        reason = self.data.get("reason")
        key = _SAID_OF_READING.get(str(reason), self.code)
        return Message(key, dict(self.data))

    @property
    def is_of_the_controller(self) -> bool:
        """Say whether another DC may well answer the same question."""
        return self.data.get("reason") in ("no_answer", "busy", "malformed")


_SAID_OF_READING = {
    "no_answer": "directory.silent",
    "busy": "directory.silent",
    "hidden": "directory.hidden",
}


class NameAttribute(StrEnum):
    """Where an account says what names it in a certificate."""

    MAIL = "mail"
    IDENTITIES = "altSecurityIdentities"


# --- ports -------------------------------------------------------------------


class DomainController(Protocol):
    """One connection to one DC, bound as the service account."""

    @property
    def name(self) -> str:
        """The host name it was reached by."""

    def account(self, guid: str) -> Account:
        """Find by objectGUID. AccountMissing, ReadFailed."""

    def find(self, name: str) -> Account:
        """Find by userPrincipalName or sAMAccountName, exactly. AccountMissing."""

    def look_for(self, term: str) -> tuple[Person, ...]:
        """Return people one of whose names begins with `term`, at most MOST_PEOPLE.

        ReadFailed.
        """

    def lockout(self, account: Account) -> Lockout:
        """Return what this DC has counted against the account. ReadFailed."""

    def member_of(self, account: Account, groups: Sequence[str]) -> frozenset[str]:
        """Return those of the groups (DNs) that the account is in, nested ones too."""

    def password_policy(self, account: Account) -> PasswordPolicy:
        """Return the effective policy. PolicyUnreadable, ReadFailed."""

    def primary(self) -> str | None:
        """Return the DC that hears of every new password first; None: this one.

        ReadFailed.
        """

    def origin(self) -> str:
        """Return the id that this DC signs its own changes with (`Stamp.origin`).

        ReadFailed.
        """

    def honours_history(self) -> bool:
        """Say whether this DC can set a password with POLICY_HINTS. ReadFailed."""

    def set_password(
        self,
        account: Account,
        new: Secret,
        semantics: Semantics = Semantics.RESET,
        *,
        until: float = math.inf,
    ) -> None:
        """Reset `unicodePwd` and clear `lockoutTime` in one modify.

        `new` is UTF-8 text. Returns when the DC said success. WriteRefused (and nothing
        is sent, where this DC cannot do `semantics`), OutcomeUnknown, ReadFailed.
        Sent at most once, and not after `until` (monotonic seconds): SentTooLate.
        """

    def verify_password(self, account: Account, password: Secret) -> BindResult:
        """Bind once as the user on this same DC (a connection of its own)."""


@runtime_checkable
class Inspectable(Protocol):
    """What `kiosk doctor` asks besides; a controller may lack it."""

    def time(self) -> float:
        """Return the DC's own clock, seconds since 1970 UTC. ReadFailed."""

    def writable(self, account: Account) -> frozenset[str]:
        """Return the attributes of the account that we may write. ReadFailed.

        The right to reset a password is not among them: only a reset shows it.
        """


@runtime_checkable
class NamesInCertificates(Protocol):
    """What an import asks besides, where the site maps certificates so."""

    def values_of(self, account: Account, attribute: NameAttribute) -> tuple[str, ...]:
        """Return what the account has there; nothing is really nothing. ReadFailed."""

    def holders_of(self, attribute: NameAttribute, value: str) -> frozenset[str]:
        """Return the objectGUIDs of all accounts with that value. ReadFailed."""


@runtime_checkable
class Surveyable(Protocol):
    """What a report asks besides; a controller may lack it."""

    def survey(self, guids: Sequence[str]) -> Mapping[str, Surveyed]:
        """Return what is seen of each account and its policy: reads in batches.

        At most a hundred at a time. ReadFailed: of all of them.
        """


@runtime_checkable
class Examinable(DomainController, Protocol):
    """What `kiosk doctor` reads to prove what the service account may, and no more.

    Reads only. A controller may lack it.
    """

    def certificate_expires(self) -> float:
        """Return when the DC's certificate expires, seconds since 1970 UTC."""

    def service_account(self) -> ServiceFacts:
        """Return who this connection is. ReadFailed."""

    def domain_head(self) -> str:
        """Return the DN of the domain. ReadFailed."""

    def domain_policy(self) -> PasswordPolicy:
        """Return the domain's own password policy. ReadFailed."""

    def guarded(self, dn: str) -> Guarded | None:
        """Return an object and its guard; None: there is no such object. ReadFailed."""

    def controllers_accounts(self) -> tuple[str, ...]:
        """Return the DNs of some domain controllers' own accounts. ReadFailed."""

    def guards(self, below: str, *, protected: bool) -> Iterator[Guarded]:
        """Return every user below an object and its guard, page by page. ReadFailed.

        `protected` as in `people`.
        """

    def people(self, below: str, *, protected: bool) -> tuple[Account, ...]:
        """Return some users below an object: a sample, not all. ReadFailed.

        `protected`: those that the domain protects (adminCount), else those it does
        not.
        """


class Directory(Protocol):
    """The domain: some DC of it."""

    def controllers(self) -> tuple[str, ...]:
        """Return the names of its DCs, in the order to try. Unreachable."""

    def rests(self, dc: str) -> bool:
        """Say whether that DC failed lately: who asks it now would wait for nothing."""

    def spread(self, written_on: DomainController, account: Account) -> Spread:
        """Say whether what was written on a DC is known where every DC would ask.

        `account` as that DC shows it since. One more connection at most, if the site
        wants it at all. Raises no DirectoryError.
        """

    def connect(
        self, dc: str | None = None
    ) -> AbstractContextManager[DomainController]:
        """Connect to that DC, or to the first that answers.

        Unreachable, TlsRefused, ServiceBindRefused. With `dc` there is no
        failover.
        """
