"""`ports.DomainController` on one simulated DC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    AccountMissing,
    OutcomeUnknown,
    PolicyUnreadable,
    ReadFailed,
    SentTooLate,
    WriteRefused,
)
from kiosk.directory.values import (
    MOST_PEOPLE,
    Account,
    BindResult,
    Lockout,
    NameAttribute,
    PasswordPolicy,
    Person,
    Semantics,
    WriteRefusal,
)
from kiosk.simulation.domain.passwords import allows
from kiosk.simulation.domain.state import Dc, DomainState
from kiosk.simulation.domain.users import User
from kiosk.simulation.domain_faults import (
    BindSays,
    DcDown,
    Frozen,
    PolicyHidden,
    WriteNo,
)

_CODES = {
    WriteRefusal.POLICY: ("0000052D", 53),
    WriteRefusal.NO_RIGHT: ("00000005", 50),
    WriteRefusal.PROTECTED: ("00000005", 50),
    WriteRefusal.GONE: ("00002030", 32),
    WriteRefusal.NOT_HERE: ("", 51),
    WriteRefusal.OTHER: ("0000001F", 53),
}
"""What a DC answers: 8-digit code and LDAP result."""
MUST_BE_READ = frozenset(
    {"userAccountControl", "accountExpires", "adminCount", "tokenGroups", "pwdLastSet"}
)
"""What decides whether an account may be touched at all."""
MARK = "replPropertyMetaData"
_NOT_SUPPORTED = 12
"""unavailableCriticalExtension."""


class SimulatedDc:
    """A connection to one DC, bound as the service account."""

    def __init__(self, state: DomainState, dc: Dc) -> None:
        self._state = state
        self._dc = dc

    @property
    def name(self) -> str:
        return self._dc.name

    def account(self, guid: str) -> Account:
        self._must_answer()
        return self._as_shown(self._dc.user(guid).account)

    def find(self, name: str) -> Account:
        self._must_answer()
        found = [
            user.account
            for user in self._dc.users.values()
            if name.isprintable() and _is_named(user.account, name)
        ]
        if len(found) != 1:
            raise AccountMissing(account=name)
        return self._as_shown(found[0])

    def look_for(self, term: str) -> tuple[Person, ...]:
        self._must_answer()
        wanted = term.strip().casefold()
        found = [
            Person(
                guid=user.account.guid,
                name=user.account.display_name,
                account=user.account.name,
                details=user.details,
            )
            for user in self._dc.users.values()
            if wanted and _begins(user.account, wanted)
        ]
        return tuple(sorted(found, key=lambda person: person.name))[:MOST_PEOPLE]

    def lockout(self, account: Account) -> Lockout:
        self._must_answer()
        user = self._dc.user(account.guid)
        return Lockout(
            bad_passwords=user.wrong_binds, last_bad=None, locked=user.account.locked
        )

    def member_of(self, account: Account, groups: Sequence[str]) -> frozenset[str]:
        self._must_answer()
        return self._dc.user(account.guid).groups & frozenset(groups)

    def password_policy(self, account: Account) -> PasswordPolicy:
        self._must_answer()
        fine_grained = self._dc.user(account.guid).policy
        if fine_grained is None:
            return self._state.policy
        if self._state.met(PolicyHidden, self.name) is not None:
            raise PolicyUnreadable(policy=fine_grained.source)
        return fine_grained

    def values_of(self, account: Account, attribute: NameAttribute) -> tuple[str, ...]:
        self._must_answer()
        if attribute in self._state.hidden(self.name):
            raise ReadFailed(dc=self.name, reason="hidden", attribute=attribute)
        return self._dc.user(account.guid).named.get(attribute, ())

    def holders_of(self, attribute: NameAttribute, value: str) -> frozenset[str]:
        self._must_answer()
        if attribute in self._state.hidden(self.name):
            return frozenset()
        return frozenset(
            guid
            for guid, user in self._dc.users.items()
            for each in user.named.get(attribute, ())
            if each.casefold() == value.casefold()
        )

    def time(self) -> float:
        self._must_answer()
        return self._state.now(self._dc)

    def writable(self, account: Account) -> frozenset[str]:
        self._must_answer()
        is_ours = self._dc.user(account.guid).delegated
        return frozenset({"lockoutTime", "pwdLastSet"} if is_ours else ())

    def primary(self) -> str | None:
        self._must_answer()
        first = self._state.dcs[0].name
        return None if first == self.name else first

    def origin(self) -> str:
        self._must_answer()
        return self._dc.origin

    def honours_history(self) -> bool:
        self._must_answer()
        return self._state.policy_hints

    def set_password(
        self,
        account: Account,
        new: Secret,
        semantics: Semantics = Semantics.RESET,
        *,
        until: float = math.inf,
    ) -> None:
        hinted = semantics is Semantics.POLICY_HINTS
        if hinted and not self._state.policy_hints:
            raise WriteRefused(
                WriteRefusal.OTHER, dc=self.name, hex="", result=_NOT_SUPPORTED
            )
        if self._state.clock.monotonic() > until:
            raise SentTooLate(dc=self.name)
        if self._state.is_down(self.name):
            raise OutcomeUnknown(dc=self.name)
        frozen = self._state.met(Frozen, self.name)
        if frozen is None:
            self._write(account, new, hinted=hinted)
            return
        if frozen.applied:
            self._write(account, new, hinted=hinted)
        if frozen.stays:
            self._state.faults.append(DcDown(dc=self.name))
        raise OutcomeUnknown(dc=self.name)

    def verify_password(self, account: Account, password: Secret) -> BindResult:
        if self._state.is_down(self.name):
            return BindResult.NO_ANSWER
        if (says := self._state.met(BindSays, self.name)) is not None:
            return BindResult(says.result)
        user = self._dc.users.get(account.guid)
        if user is None or not password or user.account.dn != account.dn:
            return BindResult.WRONG_PASSWORD
        policy = self._state.policy_of(user)
        return user.bind(password, policy, self._state.now(self._dc))

    # --- inside ---------------------------------------------------------------

    def _must_answer(self) -> None:
        if self._state.is_down(self.name):
            raise ReadFailed(dc=self.name, reason="no_answer")

    def _as_shown(self, account: Account) -> Account:
        """Return what we may read of an account. ReadFailed."""
        hidden = self._state.hidden(self.name)
        if deciding := sorted(hidden & MUST_BE_READ):
            attribute = deciding[0]
            raise ReadFailed(dc=self.name, reason="hidden", attribute=attribute)
        return replace(account, mark=None) if MARK in hidden else account

    def _write(self, account: Account, new: Secret, *, hinted: bool) -> None:
        user = self._dc.users.get(account.guid)
        if user is None:
            raise self._refused(WriteRefusal.GONE)
        refusal = self._refusal(user, new, hinted=hinted)
        if refusal is not None:
            raise self._refused(refusal)
        user.unlock()
        user.set_password(self._state.stored(new), self._state.signed(self._dc))
        self._state.touch(user)
        self._state.writes.append((self.name, user.account.guid))

    def _refusal(self, user: User, new: Secret, *, hinted: bool) -> WriteRefusal | None:
        """Say why this DC does not take `new`, in the order in which AD asks."""
        if user.account.privileged:
            return WriteRefusal.PROTECTED
        if not user.delegated:
            return WriteRefusal.NO_RIGHT
        if (no := self._state.met(WriteNo, self.name)) is not None:
            return WriteRefusal(no.why)
        policy = self._state.policy_of(user)
        if not allows(policy, new):
            return WriteRefusal.POLICY
        if hinted and not user.may_choose(new, policy, self._state.now(self._dc)):
            return WriteRefusal.POLICY
        return None

    def _refused(self, why: WriteRefusal) -> WriteRefused:
        code, result = _CODES[why]
        said = f"{code}: {why}"
        return WriteRefused(why, dc=self.name, hex=code, result=result, said=said)


def _is_named(account: Account, name: str) -> bool:
    wanted = name.casefold()
    names = (account.user_principal_name, account.sam_account_name)
    return wanted in (each.casefold() for each in names)


def _begins(account: Account, wanted: str) -> bool:
    names = (
        account.display_name,
        *account.display_name.split(),
        account.sam_account_name,
        account.user_principal_name,
    )
    return any(name.casefold().startswith(wanted) for name in names)
