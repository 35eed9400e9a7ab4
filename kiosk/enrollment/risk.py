"""The risk report: whose password is a short secret, and what cannot work.

Reads only. What the directory does not let us read is its own finding, never passed
over. One connection; each account is asked once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kiosk.authority import puks
from kiosk.authority.parts import Parts
from kiosk.authority.rules import effective
from kiosk.directory.ports import (
    Account,
    AccountMissing,
    DirectoryError,
    DomainController,
    PasswordPolicy,
)
from kiosk.pinrules import Alphabet, PinRules, contradiction
from kiosk.templates import limits_of
from statemachine.lifecycle import State
from storage.records import Credential, Keyless, Sync, Template

_IN_USE = frozenset({State.ISSUED, State.ACTIVE, State.BLOCKED, State.SUSPENDED})
LONG_ENOUGH = 12
"""Characters from which a secret of digits is not called short."""


class Finding(StrEnum):
    """What can be wrong; `risk.<value>` says it in a sentence."""

    SHORT_NUMERIC = "short_numeric"
    SHORT = "short"
    NO_LOCKOUT = "no_lockout"
    SMART_CARD_REQUIRED = "smart_card_required"
    PRIVILEGED = "privileged"
    UNSATISFIABLE = "unsatisfiable"
    OUT_OF_STEP = "out_of_step"
    KEYLESS = "keyless"
    PUK_FACTORY = "puk_factory"
    PUK_DUE = "puk_due"
    PUK_NOT_TAKEN = "puk_not_taken"
    PUK_USED_UP = "puk_used_up"
    ACCOUNT_GONE = "account_gone"
    UNKNOWN = "unknown"
    """The directory did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One finding about one credential. Names are outside text."""

    finding: Finding
    credential: str
    holder: str
    account: str
    template: str
    detail: str = ""
    """A number, a rule or a code."""


def report(parts: Parts) -> list[Risk]:
    """Look at every credential in use. DirectoryError if no DC can be had."""
    pairs = parts.registry.run(
        lambda tx: [
            (each, tx.template(each.template, each.template_version))
            for each in tx.credentials()
            if each.state in _IN_USE
        ]
    )
    risks: list[Risk] = []
    with parts.directory.connect() as dc:
        for credential, template in pairs:
            for finding, detail in _of(credential, template, dc):
                risks.append(_risk(finding, credential, detail))
    return sorted(risks, key=lambda risk: (risk.finding, risk.holder))


def _risk(finding: Finding, credential: Credential, detail: str) -> Risk:
    return Risk(
        finding=finding,
        credential=credential.id,
        holder=credential.holder,
        account=credential.account,
        template=f"{credential.template} {credential.template_version}",
        detail=detail,
    )


def _of(
    credential: Credential, template: Template, dc: DomainController
) -> Iterator[tuple[Finding, str]]:
    if credential.sync is Sync.OUT_OF_STEP:
        yield Finding.OUT_OF_STEP, credential.sync_reason
    if credential.authentication_key is None and template.keyless is not Keyless.OFF:
        yield Finding.KEYLESS, str(template.keyless)
    yield from _of_puk(credential)
    if not template.pin_policy.update_ad_password:
        return
    try:
        account = dc.account(credential.account_guid)
        policy = dc.password_policy(account)
    except AccountMissing:
        yield Finding.ACCOUNT_GONE, ""
    except DirectoryError as error:
        yield Finding.UNKNOWN, error.code
    else:
        yield from _of_account(credential, template, account, policy)


def _of_puk(credential: Credential) -> Iterator[tuple[Finding, str]]:
    """A PUK that somebody may know, or that no longer opens its card."""
    escrow = credential.escrow
    known = puks.of(escrow).known
    if puks.is_used_up(escrow):
        yield Finding.PUK_USED_UP, ""
    elif puks.is_factory(escrow):
        yield Finding.PUK_FACTORY, known
    elif puks.is_due(escrow):
        yield Finding.PUK_DUE, known
    if escrow.forms_refused and puks.is_due(escrow):
        yield Finding.PUK_NOT_TAKEN, str(escrow.forms_refused)


def _of_account(
    credential: Credential,
    template: Template,
    account: Account,
    policy: PasswordPolicy,
) -> Iterator[tuple[Finding, str]]:
    if account.privileged:
        yield Finding.PRIVILEGED, ""
    if account.smart_card_required:
        yield Finding.SMART_CARD_REQUIRED, ""
    rules = effective(limits_of(template), template, account, policy)
    broken = contradiction(rules)
    if broken is not None:
        yield Finding.UNSATISFIABLE, str(broken)
    elif credential.sync is not Sync.NEVER and not account.privileged:
        yield from _of_secret(rules, policy)


def _of_secret(
    rules: PinRules, policy: PasswordPolicy
) -> Iterator[tuple[Finding, str]]:
    """Judge what the password may be at its weakest."""
    if rules.minimum >= LONG_ENOUGH:
        return
    digits = rules.alphabet is Alphabet.DIGITS
    yield (
        Finding.SHORT_NUMERIC if digits else Finding.SHORT,
        str(rules.minimum),
    )
    if policy.lockout_threshold == 0:
        yield Finding.NO_LOCKOUT, policy.source
