"""When the directory password follows the PIN: SPEC's conditions, one by one.

`None` means that it follows; a `Message` says which condition fails. Conditions
1–4 and 6 are here; 5, the proof, is `authorise`'s business, and the keyless
exception only says whether it may be left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.core.errors import Message
from kiosk.directory.values import Account, PasswordPolicy
from storage.records import Credential, Keyless, Template

_EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How condition 5 will be met."""

    signature: bool
    """The key on record signs."""
    release: bool = False
    """Keyless, and a helpdesk release code stands in for the signature."""


def of_template(template: Template) -> Message | None:
    """Judge what needs no directory: self-service (2) and the PIN policy (3)."""
    if not template.self_service:
        return Message("condition.self_service_off")
    if not template.pin_policy.update_ad_password:
        return Message("condition.policy_does_not_sync")
    return None


def of_account(account: Account, template: Template) -> Message | None:
    """Judge the directory account (6): is it one we may touch?"""
    if account.privileged:
        return Message("condition.privileged")
    if not account.enabled:
        return Message("condition.disabled")
    if account.expired:
        return Message("condition.account_expired")
    if account.smart_card_required and not template.allow_smart_card_required:
        return Message("condition.smart_card_required")
    return None


def too_young(account: Account, policy: PasswordPolicy, now: float) -> Message | None:
    """Judge the password's age, which counts where the history is honoured.

    `now` in seconds UTC; that of the DC may differ a little, and decides.
    """
    if account.pwd_last_set == 0:
        return None
    set_at = account.pwd_last_set / 10**7 - _EPOCH
    left = set_at + policy.minimum_age - now
    if left <= 0:
        return None
    return Message("stop.password_too_young", {"hours": math.ceil(left / 3600)})


def proof_of(credential: Credential, template: Template) -> Proof | None:
    """Say how the proof (5) will be had; None: no key on record, no exception.

    The exception is for cards that came without one: not for one whose issuing broke
    off before its keys went on record.
    """
    if credential.authentication_key is not None:
        return Proof(signature=True)
    if not credential.migrated:
        return None
    if template.keyless is Keyless.WITHOUT:
        return Proof(signature=False)
    if template.keyless is Keyless.WITH_RELEASE:
        return Proof(signature=False, release=True)
    return None
