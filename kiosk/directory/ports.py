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
from typing import Protocol, runtime_checkable

from kiosk.core.secret import Secret
from kiosk.directory.values import (
    Account,
    BindResult,
    Guarded,
    Lockout,
    NameAttribute,
    PasswordPolicy,
    Person,
    Semantics,
    ServiceFacts,
    Spread,
    Surveyed,
)


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
