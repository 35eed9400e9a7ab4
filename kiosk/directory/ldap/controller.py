"""`ports.DomainController`: one DC of Active Directory, as the service account."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from ldap3.utils.conv import escape_filter_chars

from kiosk.core.clock import Clock
from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    AccountMissing,
    DirectoryError,
    OutcomeUnknown,
    ReadFailed,
    WriteRefused,
)
from kiosk.directory.ldap import (
    codes,
    examination,
    inspection,
    people,
    replication,
    visibility,
)
from kiosk.directory.ldap.accounts import (
    ATTRIBUTES,
    USER,
    Unjudgeable,
    account_of,
    guid_of,
    is_called,
)
from kiosk.directory.ldap.addresses import always
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.failures import LineBroken
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.ldap.policies import effective_policy, policy_of_domain
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.ldap.survey import Survey
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
    Surveyed,
    WriteRefusal,
)

_LONGEST_NAME = 1024
"""Of a userPrincipalName."""


class LdapController:
    """Lives as long as its channel."""

    def __init__(self, channel: Channel, settings: LdapSettings, clock: Clock) -> None:
        self._channel = channel
        self._settings = settings
        self._clock = clock
        self._open_to_us: set[str] = set()
        """Users of whom all may be read that decides."""

    @property
    def name(self) -> str:
        return self._channel.dc

    @cached_property
    def _own_token(self) -> frozenset[str]:
        return visibility.token_of(examination.own_token(self._channel))

    @cached_property
    def _policy_hints(self) -> str:
        return replication.policy_hints(self._channel)

    def primary(self) -> str | None:
        return replication.primary(self._channel)

    def origin(self) -> str:
        return replication.origin(self._channel)

    def account(self, guid: str) -> Account:
        try:
            dn = f"<GUID={uuid.UUID(guid)}>"
        except ValueError as error:
            raise AccountMissing(account=guid) from error
        try:
            entry = self._entry(dn)
            if entry is None:
                raise AccountMissing(account=guid)
            return account_of(entry, self._clock.now())
        except Unjudgeable as error:
            hidden = str(error)
            raise ReadFailed(dc=self.name, reason="hidden", attribute=hidden) from error

    def _entry(self, dn: str) -> Entry | None:
        """Read a user; what is absent is really so. ReadFailed, Unjudgeable."""
        if dn in self._open_to_us:
            return self._channel.read(dn, USER, *ATTRIBUTES)
        wanted = ("objectSid", *ATTRIBUTES)
        entry = self._channel.guard(dn, *wanted, condition=USER)
        if entry is not None and not entry.get("adminCount"):
            visibility.must_be_readable(entry, self._own_token, "adminCount")
        self._open_to_us.add(dn)
        return entry

    def find(self, name: str) -> Account:
        if not (name and name.isprintable() and len(name) <= _LONGEST_NAME):
            raise AccountMissing(account=name)
        escaped = escape_filter_chars(name)
        either = f"(|(userPrincipalName={escaped})(sAMAccountName={escaped}))"
        found = self._channel.search(
            self._settings.base_dn,
            f"(&{USER}{either})",
            *("objectGUID", "userPrincipalName", "sAMAccountName"),
        )
        if len(found) != 1 or not is_called(found[0], name):
            raise AccountMissing(account=name)
        return self.account(self._guid_of(found[0]))

    def _guid_of(self, entry: Entry) -> str:
        """Return what an object is known by. ReadFailed."""
        try:
            return guid_of(entry)
        except Unjudgeable as error:
            hidden = str(error)
            raise ReadFailed(dc=self.name, reason="hidden", attribute=hidden) from error

    def look_for(self, term: str) -> tuple[Person, ...]:
        return people.look_for(self._channel, self._settings.base_dn, term)

    def lockout(self, account: Account) -> Lockout:
        return people.lockout(self._channel, f"<GUID={account.guid}>")

    def member_of(self, account: Account, groups: Sequence[str]) -> frozenset[str]:
        return people.member_of(self._channel, f"<GUID={account.guid}>", groups)

    def password_policy(self, account: Account) -> PasswordPolicy:
        return effective_policy(self._channel, f"<GUID={account.guid}>")

    def values_of(self, account: Account, attribute: NameAttribute) -> tuple[str, ...]:
        dn = f"<GUID={account.guid}>"
        entry = self._channel.guard(dn, "objectSid", attribute, condition=USER)
        if entry is None:
            raise AccountMissing(account=account.guid)
        if values := entry.get(attribute):
            return tuple(value.decode("utf-8", "replace") for value in values)
        try:
            visibility.must_be_readable(entry, self._own_token, attribute)
        except Unjudgeable as error:
            raise ReadFailed(
                dc=self.name, reason="hidden", attribute=str(error)
            ) from error
        return ()

    def holders_of(self, attribute: NameAttribute, value: str) -> frozenset[str]:
        wanted = f"(&{USER}({attribute}={escape_filter_chars(value)}))"
        found = self._channel.search(self._settings.base_dn, wanted, "objectGUID")
        return frozenset(self._guid_of(entry) for entry in found)

    def time(self) -> float:
        return inspection.time_of(self._channel)

    def writable(self, account: Account) -> frozenset[str]:
        return inspection.writable(self._channel, f"<GUID={account.guid}>")

    # --- ports.Surveyable -----------------------------------------------------

    @cached_property
    def _survey(self) -> Survey:
        return Survey(self._channel, self.domain_head(), self._own_token)

    def survey(self, guids: Sequence[str]) -> Mapping[str, Surveyed]:
        return self._survey.of(guids, self._clock.now())

    # --- ports.Examinable -----------------------------------------------------

    def certificate_expires(self) -> float:
        return self._channel.certificate_expires()

    def service_account(self) -> ServiceFacts:
        return examination.service_account(self._channel, self._clock.now())

    def domain_head(self) -> str:
        return examination.domain_head(self._channel)

    def domain_policy(self) -> PasswordPolicy:
        return policy_of_domain(self._channel)

    def guarded(self, dn: str) -> Guarded | None:
        return examination.guarded(self._channel, dn)

    def controllers_accounts(self) -> tuple[str, ...]:
        return examination.controllers_accounts(self._channel)

    def guards(self, below: str, *, protected: bool) -> Iterator[Guarded]:
        condition = examination.PROTECTED if protected else examination.ORDINARY
        return examination.guards(self._channel, below, condition)

    def people(self, below: str, *, protected: bool) -> tuple[Account, ...]:
        condition = examination.PROTECTED if protected else examination.ORDINARY
        return examination.people(self._channel, below, condition, self._clock.now())

    # --- writes ---------------------------------------------------------------

    def honours_history(self) -> bool:
        return bool(self._policy_hints)

    def set_password(
        self,
        account: Account,
        new: Secret,
        semantics: Semantics = Semantics.RESET,
        *,
        until: float = math.inf,
    ) -> None:
        control = ""
        if semantics is Semantics.POLICY_HINTS and not (control := self._policy_hints):
            raise WriteRefused(
                WriteRefusal.OTHER,
                dc=self.name,
                hex="",
                result=codes.UNAVAILABLE_CRITICAL_EXTENSION,
            )
        try:
            answer = self._channel.reset(
                f"<GUID={account.guid}>",
                new,
                control,
                is_late=lambda: self._clock.monotonic() > until,
            )
        except LineBroken as error:
            raise OutcomeUnknown(dc=self.name) from error
        if answer.result == codes.SUCCESS:
            self._channel.has_answered = True
            return
        why = codes.refusal(answer.result, answer.message)
        if why is WriteRefusal.NO_RIGHT and account.privileged:
            why = WriteRefusal.PROTECTED
        self._channel.is_bad |= why is WriteRefusal.NOT_HERE
        told = codes.told(answer.result, answer.message)
        raise WriteRefused(why, dc=self.name, **told)  # type: ignore[arg-type]  # its data

    def verify_password(self, account: Account, password: Secret) -> BindResult:
        if not password:
            return BindResult.WRONG_PASSWORD
        try:
            there = always(self._channel.address)
            channel = Channel(self._settings, self.name, there)
        except DirectoryError:
            self._channel.is_bad = True
            return BindResult.NO_ANSWER
        try:
            answer = channel.bind(account.dn, password)
        except LineBroken:
            return BindResult.NO_ANSWER
        finally:
            self._channel.is_bad |= channel.is_bad
            channel.close()
        return codes.bind_result(answer.result, answer.message)
