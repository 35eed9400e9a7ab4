"""The risk report: whose password is a short secret, and what cannot work.

Reads only. What the directory does not let us read is its own finding, never passed
over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kiosk.authority.escrow import puks
from kiosk.authority.office.survey import SurveyedAccount, survey
from kiosk.authority.office.templates import limits_of
from kiosk.authority.office.values import (
    Report,
    Risk,
    RiskFinding,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.rules.effective import effective
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.rules.sync_conditions import proof_of
from kiosk.directory.errors import AccountMissing, DirectoryError
from kiosk.directory.values import Account, PasswordPolicy
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules, contradiction
from statemachine.lifecycle import State
from storage import walk
from storage.records import Credential, Sync, Template

_IN_USE = frozenset({State.ISSUED, State.ACTIVE, State.BLOCKED, State.SUSPENDED})
LONG_ENOUGH = 12
"""Characters from which a secret of digits is not called short."""


Told = Callable[[int, int], None]
"""Hears how many accounts were looked at, and of how many."""


def report(parts: RequiredPorts, told: Told = lambda _done, _accounts: None) -> Report:
    """Look at every credential in use. Whatever fails, the others are looked at.

    It changes nothing: what `told` raises ends it without harm.
    """
    templates: dict[tuple[str, int], Template] = {}
    pairs = []
    there = parts.registry.read(lambda view: view.count())
    for number, each in enumerate(walk.credentials(parts.registry)):
        if not number % walk.PAGE:
            told(0, there)
        if each.state in _IN_USE:
            key = each.template, each.template_version
            if key not in templates:
                templates[key] = parts.registry.read(
                    lambda view, key=key: view.template(*key)  # type: ignore[misc]  # mypy cannot infer a lambda's default
                )
            pairs.append((each, templates[key]))
    synced = [each for each, template in pairs if _is_synced(template)]
    guids = list(dict.fromkeys(each.account_guid for each in synced))
    reached = 0

    def looked(more: int) -> None:
        nonlocal reached
        reached += more
        told(reached, len(guids))

    seen = survey(parts.directory, guids, looked)
    risks = [
        _risk(finding, credential, detail)
        for credential, template in pairs
        for finding, detail in _of(credential, template, seen)
    ]
    return Report(
        risks=tuple(sorted(risks, key=lambda risk: (risk.finding, risk.holder))),
        accounts=len(guids),
        unseen=sum(_is_unseen(seen[guid].trouble) for guid in guids),
    )


def _is_synced(template: Template) -> bool:
    return template.pin_policy.update_ad_password


def _is_unseen(trouble: DirectoryError | None) -> bool:
    return trouble is not None and not isinstance(trouble, AccountMissing)


def _risk(finding: RiskFinding, credential: Credential, detail: str) -> Risk:
    return Risk(
        finding=finding,
        credential=credential.id,
        holder=credential.holder,
        account=credential.account,
        template=f"{credential.template} {credential.template_version}",
        detail=detail,
    )


def _of(
    credential: Credential, template: Template, seen: Mapping[str, SurveyedAccount]
) -> Iterator[tuple[RiskFinding, str]]:
    if credential.sync is Sync.OUT_OF_STEP:
        yield RiskFinding.OUT_OF_STEP, credential.sync_reason
    proof = proof_of(credential, template)
    if proof is not None and not proof.signature:
        yield RiskFinding.KEYLESS, str(template.keyless)
    yield from _of_puk(credential)
    if not _is_synced(template):
        return
    found = seen[credential.account_guid]
    if isinstance(found.trouble, AccountMissing):
        yield RiskFinding.ACCOUNT_GONE, ""
    elif found.account is None or found.policy is None:
        yield RiskFinding.UNKNOWN, found.trouble.code if found.trouble else ""
    else:
        yield from _of_password(credential, found.account, found.dc)
        yield from _of_account(credential, template, found.account, found.policy)


def _of_password(
    credential: Credential, account: Account, dc: str
) -> Iterator[tuple[RiskFinding, str]]:
    """Judge whether it is still ours, by what was seen after the last write."""
    last = credential.last_sync
    if credential.sync is not Sync.IN_STEP or last is None:
        return
    if account.mark is None:
        yield RiskFinding.MARK_HIDDEN, ""
    known = in_step.at_last_sync(last)
    if in_step.compare(known, in_step.seen(account, dc)) is Compared.CHANGED:
        yield RiskFinding.CHANGED_ELSEWHERE, ""


def _of_puk(credential: Credential) -> Iterator[tuple[RiskFinding, str]]:
    """A PUK that somebody may know, or that no longer opens its card."""
    escrow = credential.escrow
    known = puks.of(escrow).known
    if puks.is_used_up(escrow):
        yield RiskFinding.PUK_USED_UP, ""
    elif puks.is_factory(escrow):
        yield RiskFinding.PUK_FACTORY, known
    elif puks.waits(credential):
        yield RiskFinding.PUK_DUE, known
    if escrow.forms_refused and puks.waits(credential):
        yield RiskFinding.PUK_NOT_TAKEN, str(escrow.forms_refused)


def _of_account(
    credential: Credential,
    template: Template,
    account: Account,
    policy: PasswordPolicy,
) -> Iterator[tuple[RiskFinding, str]]:
    if account.privileged:
        yield RiskFinding.PRIVILEGED, ""
    if account.smart_card_required:
        yield RiskFinding.SMART_CARD_REQUIRED, ""
    rules = effective(limits_of(template), template, account, policy)
    broken = contradiction(rules)
    if broken is not None:
        yield RiskFinding.UNSATISFIABLE, str(broken)
    elif credential.sync is not Sync.NEVER and not account.privileged:
        yield from _of_secret(rules, policy)


def _of_secret(
    rules: PinRules, policy: PasswordPolicy
) -> Iterator[tuple[RiskFinding, str]]:
    """Judge what the password may be at its weakest."""
    if rules.minimum >= LONG_ENOUGH:
        return
    digits = rules.alphabet is Alphabet.DIGITS
    yield (
        RiskFinding.SHORT_NUMERIC if digits else RiskFinding.SHORT,
        str(rules.minimum),
    )
    if policy.lockout_threshold == 0:
        yield RiskFinding.NO_LOCKOUT, policy.source
