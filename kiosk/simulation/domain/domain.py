"""`ports.Directory` with accounts that a rehearsal or a test puts there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    DirectoryError,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
)
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, NameAttribute, PasswordPolicy, Spread
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain.state import Dc, DomainState
from kiosk.simulation.domain.users import User, filetime
from kiosk.simulation.domain_faults import AnyFault, ServiceAccountRefused, TlsWrong

DOMAIN_POLICY = PasswordPolicy(
    source="domain",
    minimum_length=6,
    complexity=False,
    history=5,
    minimum_age=0.0,
    maximum_age=None,
    lockout_threshold=0,
)


class SimulatedDirectory:
    """A domain in memory. One thread at a time."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        *,
        policy: PasswordPolicy = DOMAIN_POLICY,
        dcs: tuple[str, ...] = ("dc1.ad.test",),
        domain: str = "ad.test",
        policy_hints: bool = False,
        pdc_check: bool = False,
    ) -> None:
        """`policy_hints`: its DCs know that control, as Windows does.

        `pdc_check`: `spread` asks the PDC emulator, which is the first DC.
        """
        self._domain = domain
        self._state = DomainState(
            policy,
            clock,
            entropy,
            tuple(Dc(name, _origin(name)) for name in dcs),
            policy_hints=policy_hints,
            pdc_check=pdc_check,
        )

    # --- what a rehearsal arranges --------------------------------------------

    def add_account(
        self,
        name: str,
        *,
        display_name: str = "",
        password: Secret | None = None,
        policy: PasswordPolicy | None = None,
        delegated: bool = True,
        enabled: bool = True,
        locked: bool = False,
        expired: bool = False,
        privileged: bool = False,
        smart_card_required: bool = False,
        must_change: bool = False,
        may_log_on: bool = True,
        groups: frozenset[str] = frozenset(),
        details: tuple[str, ...] = (),
    ) -> str:
        """Create a user on every DC; return its objectGUID.

        `policy`: the fine-grained policy that names it. `delegated`: the service
        account may reset it. `may_log_on`: the logon hours allow it now.
        """
        guid = str(uuid.UUID(bytes=self._state.entropy.bytes(16), version=4))
        account = Account(
            guid=guid,
            dn=f"CN={name},OU=Staff,DC={self._domain.replace('.', ',DC=')}",
            sam_account_name=name,
            user_principal_name=f"{name}@{self._domain}",
            display_name=display_name or name,
            enabled=enabled,
            locked=locked,
            expired=expired,
            privileged=privileged,
            smart_card_required=smart_card_required,
            pwd_last_set=0 if must_change else filetime(self._state.clock.now()),
        )
        user = User(
            account=account,
            policy=policy,
            delegated=delegated,
            password=None if password is None else self._state.stored(password),
            may_log_on=may_log_on,
            groups=groups,
            details=details,
        )
        made = self._state.signed(self._state.dcs[0])
        user.password_set = made.after(user.password_set)
        user.move(user.account.pwd_last_set, made)
        self._state.touch(user)
        for dc in self._state.dcs:
            dc.users[guid] = replace(user)
        return guid

    def change_account(self, guid: str, **changes: str | bool | int) -> None:
        """Change fields of `ports.Account` on every DC (disable, rename, lock …).

        As in AD, `locked=False` clears the count of wrong passwords, and switching
        `smart_card_required` on gives the account a password that nobody knows.
        """
        signed = self._state.signed(self._state.dcs[0])
        moved = changes.pop("pwd_last_set", None)
        for dc in self._state.dcs:
            user = dc.user(guid)
            user.account = replace(user.account, **changes)  # type: ignore[arg-type]  # fields of Account, checked by its constructor
            if moved is not None:
                user.move(int(moved), signed)
            if changes.get("locked") is False:
                user.unlock()
            if changes.get("smart_card_required") is True:
                user.randomise(signed)
            self._state.touch(user)

    def set_groups(self, guid: str, *groups: str) -> None:
        """Put a user into just these groups (DNs), on every DC."""
        for dc in self._state.dcs:
            dc.user(guid).groups = frozenset(groups)

    def set_details(self, guid: str, *details: str) -> None:
        """Say what tells a user from others of the same name, on every DC."""
        for dc in self._state.dcs:
            dc.user(guid).details = details

    def set_names(self, guid: str, attribute: NameAttribute, *values: str) -> None:
        """Say what names a user in certificates, on every DC."""
        for dc in self._state.dcs:
            user = dc.user(guid)
            user.named = {**user.named, attribute: values}
            self._state.touch(user)

    def remove_account(self, guid: str) -> None:
        """Delete a user everywhere."""
        for dc in self._state.dcs:
            del dc.users[guid]

    def change_elsewhere(
        self, guid: str, password: Secret, *, dc: str = "", must_change: bool = False
    ) -> None:
        """The password is changed by somebody else (Ctrl+Alt+Del, helpdesk).

        `dc`: there, and nowhere else until they `replicate`. `must_change`: at the next
        logon, in the same modify.
        """
        where = self._dc(dc or None)
        user = where.user(guid)
        signed = self._state.signed(where)
        user.set_password(self._state.stored(password), signed)
        if must_change:
            user.account = replace(user.account, pwd_last_set=0)
        self._state.touch(user)
        if not dc:
            self.replicate()

    def require_smart_card(self, guid: str, *, dc: str) -> None:
        """Tick "smart card is required" on one DC, which randomises the password."""
        where = self._dc(dc)
        user = where.user(guid)
        user.account = replace(user.account, smart_card_required=True)
        user.randomise(self._state.signed(where))
        self._state.touch(user)

    def set_clock(self, dc: str, *, ahead: float) -> None:
        """Let a DC's clock go wrong by so many seconds; negative: behind."""
        self._dc(dc).ahead = ahead

    def replicate(self) -> None:
        """Bring what stays of each user to every DC.

        The newest copy as a whole, but of passwords the one that AD lets win.
        """
        for guid in {guid for dc in self._state.dcs for guid in dc.users}:
            copies = [dc.users[guid] for dc in self._state.dcs if guid in dc.users]
            if all(each == copies[0] for each in copies) and len(copies) == len(
                self._state.dcs
            ):
                continue
            newest = replace(max(copies, key=lambda user: user.version))
            for copy in copies:
                newest.take_password(copy)
            for dc in self._state.dcs:
                dc.users[guid] = replace(newest)

    def fail(self, fault: AnyFault) -> None:
        """Let `fault` happen when it is met."""
        self._state.faults.append(fault)

    def heal(self) -> None:
        """Forget all faults."""
        self._state.faults.clear()

    # --- what a rehearsal observes --------------------------------------------

    @property
    def policy(self) -> PasswordPolicy:
        """The domain's own policy."""
        return self._state.policy

    @policy.setter
    def policy(self, policy: PasswordPolicy) -> None:
        self._state.policy = policy

    @property
    def writes(self) -> list[tuple[str, str]]:
        """(DC, objectGUID) of every password that the kiosk really wrote."""
        return self._state.writes

    def binds(self, guid: str, password: Secret, *, dc: str | None = None) -> bool:
        """Say whether this is the current password there. No try counts."""
        return self._dc(dc).user(guid).knows(password)

    def account(self, guid: str, *, dc: str | None = None) -> Account:
        """Return the user as that DC (or the first) has it."""
        return self._dc(dc).user(guid).account

    def pwd_last_set(self, guid: str, *, dc: str | None = None) -> int:
        """Return when the password was last set there, in 100 ns since 1601."""
        return self.account(guid, dc=dc).pwd_last_set

    # --- ports.Directory ------------------------------------------------------

    def controllers(self) -> tuple[str, ...]:
        return tuple(dc.name for dc in self._state.dcs)

    def rests(self, dc: str) -> bool:  # noqa: ARG002 - asking costs nothing here
        return False

    def spread(self, written_on: DomainController, account: Account) -> Spread:
        if not self._state.pdc_check:
            return Spread.NOT_ASKED
        primary = self._state.dcs[0]
        if primary.name == written_on.name:
            return Spread.KNOWN
        if self._state.is_down(primary.name):
            return Spread.UNKNOWN
        there = primary.user(account.guid).account
        return Spread.KNOWN if there.knows(account) else Spread.SPREADING

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[SimulatedDc]:
        reached = self._reach(dc)
        refused = self._state.met(ServiceAccountRefused, reached.name)
        if refused is not None:
            raise ServiceBindRefused(dc=reached.name, reason=refused.reason)
        yield SimulatedDc(self._state, reached)

    # --- inside ---------------------------------------------------------------

    def _reach(self, wanted: str | None) -> Dc:
        """Return the first that answers and convinces. Unreachable, TlsRefused."""
        dcs = [dc for dc in self._state.dcs if wanted in (None, dc.name)]
        names = wanted or ", ".join(dc.name for dc in dcs)
        trouble: DirectoryError = Unreachable(dcs=names, reason="refused")
        for dc in dcs:
            if self._state.is_down(dc.name):
                continue
            distrust = self._state.met(TlsWrong, dc.name)
            if distrust is None:
                return dc
            trouble = TlsRefused(dc=dc.name, reason=distrust.reason)
        raise trouble

    def _dc(self, name: str | None) -> Dc:
        return next(dc for dc in self._state.dcs if name in (None, dc.name))


def _origin(dc: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, dc))
