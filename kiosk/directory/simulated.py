"""A domain made of software: obeys the same contract suite as a real one.

Policy (domain and fine-grained), history that a reset ignores, lockout, flags, rights
that end at the delegated part, the old password that still binds for an hour,
several DCs with replication by hand, and the faults of `kiosk.directory.faults`.
Passwords are kept as salted digests.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeVar

from kiosk.clock import Clock
from kiosk.directory.faults import (
    LASTING,
    AnyFault,
    BindSays,
    DcDown,
    Frozen,
    PolicyHidden,
    ServiceAccountRefused,
    TlsWrong,
    WriteNo,
)
from kiosk.directory.ports import (
    Account,
    AccountMissing,
    BindResult,
    OutcomeUnknown,
    PasswordPolicy,
    PolicyUnreadable,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
    WriteRefusal,
    WriteRefused,
)
from kiosk.entropy import Entropy
from kiosk.secret import Secret

_F = TypeVar(
    "_F", TlsWrong, ServiceAccountRefused, Frozen, WriteNo, BindSays, PolicyHidden
)

OLD_PASSWORD_SECONDS = 3600.0
"""How long the password before the last reset still binds (as measured on AD)."""
_EPOCH = 11_644_473_600
_WRONG_DATA = "0000052D"

DOMAIN_POLICY = PasswordPolicy(
    source="domain",
    minimum_length=6,
    complexity=False,
    history=5,
    minimum_age=0.0,
    maximum_age=None,
    lockout_threshold=0,
)


@dataclass(frozen=True)
class _Password:
    salt: bytes
    digest: bytes
    until: float | None = None
    """When an old one stops to bind."""

    @classmethod
    def of(cls, value: Secret, salt: bytes) -> _Password:
        return cls(salt, hashlib.sha256(salt + value.reveal()).digest())

    def is_(self, value: Secret) -> bool:
        attempt = hashlib.sha256(self.salt + value.reveal()).digest()
        return hmac.compare_digest(attempt, self.digest)


@dataclass
class _User:
    """One user object as one DC has it."""

    account: Account
    policy: PasswordPolicy | None = None
    delegated: bool = True
    password: _Password | None = None
    previous: _Password | None = None
    wrong_binds: int = 0
    logon_hours: bool = True


@dataclass
class _Dc:
    name: str
    users: dict[str, _User] = field(default_factory=dict)


class SimulatedDirectory:
    """`ports.Directory` with accounts that a rehearsal or test puts there."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        *,
        policy: PasswordPolicy = DOMAIN_POLICY,
        dcs: tuple[str, ...] = ("dc1.ad.test",),
        domain: str = "ad.test",
    ) -> None:
        self.policy = policy
        self.writes: list[tuple[str, str]] = []
        """(DC, objectGUID) of every password that was really written."""
        self._clock = clock
        self._entropy = entropy
        self._domain = domain
        self._dcs = [_Dc(name) for name in dcs]
        self._faults: list[AnyFault] = []

    # --- what a rehearsal arranges --------------------------------------------

    def add_account(
        self,
        name: str,
        *,
        display_name: str = "",
        password: Secret | None = None,
        policy: PasswordPolicy | None = None,
        delegated: bool = True,
        **flags: bool,
    ) -> str:
        """Create a user on every DC; return its objectGUID.

        `flags` are those of `ports.Account`: enabled, locked, expired, privileged,
        smart_card_required.
        """
        guid = str(uuid.UUID(bytes=self._entropy.bytes(16), version=4))
        defaults = {
            "enabled": True,
            "locked": False,
            "expired": False,
            "privileged": False,
            "smart_card_required": False,
        }
        account = Account(
            guid=guid,
            dn=f"CN={name},OU=Staff,DC={self._domain.replace('.', ',DC=')}",
            sam_account_name=name,
            user_principal_name=f"{name}@{self._domain}",
            display_name=display_name or name,
            pwd_last_set=self._filetime(),
            **{**defaults, **flags},  # type: ignore[arg-type]  # flags are bools
        )
        held = None if password is None else _Password.of(password, self._salt())
        for dc in self._dcs:
            dc.users[guid] = _User(account, policy, delegated, held)
        return guid

    def change_account(self, guid: str, **changes: str | bool | int) -> None:
        """Change fields of `ports.Account` on every DC (disable, rename, lock …)."""
        for dc in self._dcs:
            user = dc.users[guid]
            user.account = replace(user.account, **changes)  # type: ignore[arg-type]  # fields of Account, checked by its constructor

    def remove_account(self, guid: str) -> None:
        """Delete a user everywhere."""
        for dc in self._dcs:
            del dc.users[guid]

    def change_elsewhere(self, guid: str, password: Secret) -> None:
        """The password is changed by somebody else (Ctrl+Alt+Del, helpdesk)."""
        self._apply(self._dcs[0], guid, password)
        self.replicate()

    def replicate(self) -> None:
        """Copy the first DC's users to all others."""
        for dc in self._dcs[1:]:
            dc.users = {
                guid: replace(user) for guid, user in self._dcs[0].users.items()
            }

    def fail(self, fault: AnyFault) -> None:
        """Let `fault` happen when it is met."""
        self._faults.append(fault)

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    # --- what a rehearsal observes --------------------------------------------

    def binds(self, guid: str, password: Secret) -> bool:
        """Say whether this is the current password on the first DC. No try counts."""
        held = self._dcs[0].users[guid].password
        return held is not None and held.is_(password)

    def account(self, guid: str) -> Account:
        """Return the user as the first DC has it."""
        return self._dcs[0].users[guid].account

    # --- ports.Directory ------------------------------------------------------

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[SimulatedDc]:
        if (tls := self._lasting(TlsWrong)) is not None:
            raise TlsRefused(dc=dc or self._dcs[0].name, reason=tls.reason)
        reached = next((each for each in self._dcs if self._answers(each, dc)), None)
        if reached is None:
            names = dc or ", ".join(each.name for each in self._dcs)
            raise Unreachable(dcs=names, reason="refused")
        if (refused := self._lasting(ServiceAccountRefused)) is not None:
            raise ServiceBindRefused(dc=reached.name, reason=refused.reason)
        yield SimulatedDc(self, reached)

    def _answers(self, dc: _Dc, wanted: str | None) -> bool:
        down = [fault.dc for fault in self._faults if isinstance(fault, DcDown)]
        return wanted in (None, dc.name) and "" not in down and dc.name not in down

    # --- inside ---------------------------------------------------------------

    def _lasting(self, kind: type[_F]) -> _F | None:
        return next((each for each in self._faults if isinstance(each, kind)), None)

    def _met(self, kind: type[_F]) -> _F | None:
        fault = self._lasting(kind)
        if fault is not None and not isinstance(fault, LASTING):
            self._faults.remove(fault)
        return fault

    def _apply(self, dc: _Dc, guid: str, password: Secret) -> None:
        user = dc.users[guid]
        if user.password is not None:
            until = self._clock.now() + OLD_PASSWORD_SECONDS
            user.previous = replace(user.password, until=until)
        user.password = _Password.of(password, self._salt())
        stamp = max(self._filetime(), user.account.pwd_last_set + 1)
        user.account = replace(user.account, pwd_last_set=stamp)

    def _salt(self) -> bytes:
        return self._entropy.bytes(8)

    def _filetime(self) -> int:
        return int((self._clock.now() + _EPOCH) * 10**7)


class SimulatedDc:
    """`ports.DomainController` on one simulated DC."""

    def __init__(self, domain: SimulatedDirectory, dc: _Dc) -> None:
        self._domain = domain
        self._dc = dc

    @property
    def name(self) -> str:
        return self._dc.name

    def account(self, guid: str) -> Account:
        return self._user(guid).account

    def find(self, name: str) -> Account:
        if not name.isprintable():
            raise AccountMissing(account=name)
        wanted = name.casefold()
        found = [
            user.account
            for user in self._dc.users.values()
            if wanted
            in (
                user.account.user_principal_name.casefold(),
                user.account.sam_account_name.casefold(),
            )
        ]
        if len(found) != 1:
            raise AccountMissing(account=name)
        return found[0]

    def password_policy(self, account: Account) -> PasswordPolicy:
        fine_grained = self._user(account.guid).policy
        if fine_grained is None:
            return self._domain.policy
        if self._domain._met(PolicyHidden) is not None:  # noqa: SLF001 - one simulation
            raise PolicyUnreadable(policy=fine_grained.source)
        return fine_grained

    def set_password(self, account: Account, new: Secret) -> None:
        user = self._dc.users.get(account.guid)
        if user is None:
            self._refuse(WriteRefusal.GONE, "00002030", 32)
        elif not user.delegated:
            self._refuse(WriteRefusal.NO_RIGHT, "00000005", 50)
        else:
            self._write(user, new)

    def _write(self, user: _User, new: Secret) -> None:
        frozen = self._domain._met(Frozen)  # noqa: SLF001 - one simulation
        if frozen is not None and not frozen.applied:
            raise OutcomeUnknown(dc=self.name)
        if (no := self._domain._met(WriteNo)) is not None:  # noqa: SLF001 - one simulation
            self._refuse(WriteRefusal(no.why), _WRONG_DATA, 53)
        policy = user.policy or self._domain.policy
        if len(new) < policy.minimum_length or (
            policy.complexity and not _complex(new)
        ):
            self._refuse(WriteRefusal.POLICY, _WRONG_DATA, 53)
        user.account = replace(user.account, locked=False)
        user.wrong_binds = 0
        self._domain._apply(self._dc, user.account.guid, new)  # noqa: SLF001 - one simulation
        self._domain.writes.append((self.name, user.account.guid))
        if frozen is not None:
            raise OutcomeUnknown(dc=self.name)

    def verify_password(self, account: Account, password: Secret) -> BindResult:
        if (says := self._domain._met(BindSays)) is not None:  # noqa: SLF001 - one simulation
            return BindResult(says.result)
        user = self._user(account.guid)
        if user.account.locked:
            return BindResult.LOCKED
        if not self._knows(user, password):
            self._count_wrong(user)
            return BindResult.WRONG_PASSWORD
        return _condition(user)

    def _knows(self, user: _User, password: Secret) -> bool:
        if user.password is not None and user.password.is_(password):
            return True
        old = user.previous
        now = self._domain._clock.now()  # noqa: SLF001 - one simulation
        return old is not None and now < (old.until or 0.0) and old.is_(password)

    def _count_wrong(self, user: _User) -> None:
        threshold = (user.policy or self._domain.policy).lockout_threshold
        user.wrong_binds += 1
        if threshold and user.wrong_binds >= threshold:
            user.account = replace(user.account, locked=True)

    def _user(self, guid: str) -> _User:
        try:
            return self._dc.users[guid]
        except KeyError:
            raise AccountMissing(account=guid) from None

    def _refuse(self, why: WriteRefusal, hex: str, result: int) -> NoReturn:
        raise WriteRefused(why, dc=self.name, hex=hex, result=result)


def _condition(user: _User) -> BindResult:
    if not user.account.enabled:
        return BindResult.DISABLED
    if user.account.expired:
        return BindResult.ACCOUNT_EXPIRED
    if not user.logon_hours:
        return BindResult.LOGON_HOURS
    if user.account.pwd_last_set == 0:
        return BindResult.MUST_CHANGE
    return BindResult.OK


def _complex(password: Secret) -> bool:
    """Three of five classes (MS-SAMR 3.1.1.7.2)."""
    value = password.reveal()
    classes = (
        any(0x41 <= byte <= 0x5A for byte in value),
        any(0x61 <= byte <= 0x7A for byte in value),
        any(0x30 <= byte <= 0x39 for byte in value),
        any(0x21 <= byte <= 0x7E and not chr(byte).isalnum() for byte in value),
        any(byte >= 0x80 for byte in value),
    )
    return sum(classes) >= 3
