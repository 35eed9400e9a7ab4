"""What a domain controller shows of accounts, policy and itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.directory.errors import DirectoryError

MOST_PEOPLE = 100
"""That a search by name returns: whoever is not among them is found by more letters."""


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
    mark: PwdReplicationMark | None = None
    """None: this DC does not let us read it."""

    @property
    def name(self) -> str:
        """userPrincipalName, or the account name where there is none."""
        return self.user_principal_name or self.sam_account_name

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


class NameAttribute(StrEnum):
    """Where an account says what names it in a certificate."""

    MAIL = "mail"
    IDENTITIES = "altSecurityIdentities"
