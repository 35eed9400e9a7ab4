"""One user object as one simulated DC has it, and how that DC judges a bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kiosk.core.secret import Secret
from kiosk.directory.values import (
    Account,
    BindResult,
    NameAttribute,
    PasswordPolicy,
    PwdReplicationMark,
    Stamp,
)
from kiosk.simulation.domain.passwords import StoredPassword

OLD_PASSWORD_SECONDS = 3600.0
"""How long the password before the last reset still binds (as measured on AD)."""
_EPOCH = 11_644_473_600
_TICKS = 10**7
_SECOND = _TICKS


@dataclass(frozen=True, slots=True)
class Signed:
    """A change of one attribute, signed by the DC that made it."""

    stamp: Stamp
    at: float
    """By that DC's own clock, which may be wrong. Seconds UTC."""

    def after(self, before: Signed) -> Signed:
        """Return the same change as the one that follows another."""
        stamp = replace(self.stamp, version=before.stamp.version + 1)
        return replace(self, stamp=stamp)

    def wins_over(self, other: Signed) -> bool:
        """Say which of two stays (MS-ADTS 3.1.1.1.9): version, then time, then id."""
        return self._rank > other._rank

    @property
    def _rank(self) -> tuple[int, float, str, int]:
        stamp = self.stamp
        return stamp.version, self.at, stamp.origin, stamp.usn


NEVER = Signed(Stamp(0, "", 0), 0.0)


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
    named: Mapping[NameAttribute, tuple[str, ...]] = field(default_factory=dict)
    """What names it in certificates."""
    version: int = 0
    """Counts changes in the whole domain; the newer one wins when DCs replicate."""
    password_set: Signed = NEVER
    """What `unicodePwd` is replicated by."""
    moved: Signed = NEVER
    """The same of `pwdLastSet`."""

    def set_password(self, new: StoredPassword, signed: Signed) -> None:
        """Replace the password; the one before still binds for a while."""
        self.previous = self.password
        self.previous_until = signed.at + OLD_PASSWORD_SECONDS
        if self.password is not None:
            self.earlier = (self.password, *self.earlier)
        self.password = new
        now, last = filetime(signed.at), self.account.pwd_last_set
        self.move(last + 1 if now <= last < now + _SECOND else now, signed)
        self.password_set = signed.after(self.password_set)
        self._mark()

    def randomise(self, signed: Signed) -> None:
        """Give it a password that nobody knows; `pwdLastSet` stays as it is."""
        self.password = self.previous = None
        self.password_set = signed.after(self.password_set)
        self._mark()

    def move(self, pwd_last_set: int, signed: Signed) -> None:
        """Say when the password was last set; 0: it must be changed."""
        self.account = replace(self.account, pwd_last_set=pwd_last_set)
        self.moved = signed.after(self.moved)
        self._mark()

    def take_password(self, other: User) -> None:
        """Take over the password of another copy, if that is the one that stays."""
        if other.password_set.wins_over(self.password_set):
            self.password, self.password_set = other.password, other.password_set
            self.previous, self.previous_until = other.previous, other.previous_until
            self.earlier = other.earlier
        if other.moved.wins_over(self.moved):
            last = other.account.pwd_last_set
            self.account = replace(self.account, pwd_last_set=last)
            self.moved = other.moved
        self._mark()

    def _mark(self) -> None:
        mark = PwdReplicationMark(self.password_set.stamp, self.moved.stamp)
        self.account = replace(self.account, mark=mark)

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
