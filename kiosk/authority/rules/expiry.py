"""When a PIN has to be changed: its own age and the directory's, as one date."""

from __future__ import annotations

import math

from kiosk.authority.rules.account_snapshot import AccountSnapshot
from kiosk.core.errors import Message
from storage.records import Credential, Template

DAY = 86_400.0
_EPOCH = 11_644_473_600
_TICKS = 10**7


def due(
    credential: Credential, template: Template, view: AccountSnapshot, *, follows: bool
) -> float | None:
    """Return when the PIN expires, in seconds UTC; None: never.

    The earlier of the template's PIN age and, where the password follows, of the age
    that the directory's effective policy allows a password.
    """
    dates = []
    policy = template.pin_policy
    if policy.expiry_days and template.apply_pin_policy and credential.pin_changed_at:
        dates.append(credential.pin_changed_at + policy.expiry_days * DAY)
    account, rules = view.account, view.policy
    if follows and account is not None and rules is not None:
        never = account.password_never_expires or account.pwd_last_set <= 0
        if rules.maximum_age is not None and not never:
            set_at = account.pwd_last_set / _TICKS - _EPOCH
            dates.append(set_at + rules.maximum_age)
    return min(dates, default=None)


def notice(date: float | None, template: Template, now: float) -> Message | None:
    """Return what to tell the holder now: expired, a reminder, or nothing."""
    if date is None:
        return None
    if now >= date:
        return Message("notice.pin_expired")
    days = math.ceil((date - now) / DAY)
    if days <= max(template.pin_policy.reminder_days, default=0):
        return Message("notice.pin_expires", {"days": days})
    return None
