"""One user object as one simulated DC has it, and how that DC judges a bind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.directory.ports import Account, BindResult, PasswordPolicy
from kiosk.directory.simulated.passwords import StoredPassword
from kiosk.secret import Secret

OLD_PASSWORD_SECONDS = 3600.0
"""How long the password before the last reset still binds (as measured on AD)."""
_EPOCH = 11_644_473_600
_TICKS = 10**7


@dataclass(slots=True, kw_only=True)
class User:
    """Mutable; each DC has its own copy. Times in seconds UTC."""

    account: Account
    policy: PasswordPolicy | None = None
    """The fine-grained policy that names this user; None: the domain's applies."""
    delegated: bool = True
    password: StoredPassword | None = None
    previous: StoredPassword | None = None
    previous_until: float = 0.0
    earlier: tuple[StoredPassword, ...] = ()
    """Those before the present one, the newest first."""
    wrong_binds: int = 0
    """badPwdCount."""
    may_log_on: bool = True
    """Logon hours."""
    groups: frozenset[str] = frozenset()
    """DNs of the groups it is in, nested ones too."""
    details: tuple[str, ...] = ()
    """Department, title, mail …"""
    version: int = 0
    """Counts changes in the whole domain; the newer one wins when DCs replicate."""

    def set_password(self, new: StoredPassword, now: float) -> None:
        """Replace the password; the one before still binds for a while."""
        self.previous, self.previous_until = self.password, now + OLD_PASSWORD_SECONDS
        if self.password is not None:
            self.earlier = (self.password, *self.earlier)
        self.password = new
        stamp = max(filetime(now), self.account.pwd_last_set + 1)
        self.account = replace(self.account, pwd_last_set=stamp)

    def may_choose(self, new: Secret, policy: PasswordPolicy, now: float) -> bool:
        """Say whether history and minimum age let the owner have `new` now."""
        remembered = (self.password, *self.earlier)[: policy.history]
        if any(self._knows(held, new) for held in remembered):
            return False
        age = filetime(now) - self.account.pwd_last_set
        return not policy.minimum_age or age >= policy.minimum_age * _TICKS

    def unlock(self) -> None:
        """Clear lockoutTime, and the count that led to it."""
        self.account = replace(self.account, locked=False)
        self.wrong_binds = 0

    def bind(self, password: Secret, policy: PasswordPolicy, now: float) -> BindResult:
        """Answer a bind; a wrong one counts, and locks where the policy says so."""
        if self.account.locked:
            return BindResult.LOCKED
        if self._knows(self.password, password):
            self.wrong_binds = 0
        elif not (now < self.previous_until and self._knows(self.previous, password)):
            self._count_wrong(policy.lockout_threshold)
            return BindResult.WRONG_PASSWORD
        return self._condition(policy, now)

    def knows(self, password: Secret) -> bool:
        """Say whether this is the current password. No try counts."""
        return self._knows(self.password, password)

    def _knows(self, held: StoredPassword | None, password: Secret) -> bool:
        return held is not None and held.matches(password)

    def _count_wrong(self, threshold: int) -> None:
        self.wrong_binds += 1
        if threshold and self.wrong_binds >= threshold:
            self.account = replace(self.account, locked=True)

    def _condition(self, policy: PasswordPolicy, now: float) -> BindResult:
        """Say what AD says of an account whose password was right."""
        if not self.account.enabled:
            return BindResult.DISABLED
        if self.account.expired:
            return BindResult.ACCOUNT_EXPIRED
        if not self.may_log_on:
            return BindResult.LOGON_HOURS
        if self.account.pwd_last_set == 0:
            return BindResult.MUST_CHANGE
        if self._is_old(policy.maximum_age, now):
            return BindResult.EXPIRED_PASSWORD
        return BindResult.OK

    def _is_old(self, maximum_age: float | None, now: float) -> bool:
        never = self.account.smart_card_required or self.account.password_never_expires
        if maximum_age is None or never:
            return False
        return filetime(now - maximum_age) > self.account.pwd_last_set


def filetime(seconds: float) -> int:
    """Return a time as Windows counts it: 100 ns since 1601."""
    return int((seconds + _EPOCH) * _TICKS)
