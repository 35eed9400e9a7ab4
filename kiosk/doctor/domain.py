"""What the domain itself says of the service account, its rights and the policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kiosk.authority.office.templates import limits_of
from kiosk.authority.rules.effective import effective
from kiosk.core.clock import Clock
from kiosk.core.errors import Message
from kiosk.directory.containers import NotAUnit, UserContainer
from kiosk.directory.delegation import Access
from kiosk.directory.descriptor import MalformedDescriptor, parse, sid_text
from kiosk.directory.effective_rights import WELL_KNOWN, RightsVerdict, TokenHolder, may
from kiosk.directory.errors import DirectoryError, PolicyUnreadable, ReadFailed
from kiosk.directory.ports import Directory, Examinable
from kiosk.directory.values import Account, PasswordPolicy, ServiceFacts
from kiosk.doctor import Finding, Health, fail, ok, said, unclear, warn
from kiosk.doctor.least_privilege import examine_rights
from kiosk.doctor.service_account import examine_account
from kiosk.pin.rules import Rule, contradiction
from storage.records import Template

_POLICIES = "CN=Password Settings Container,CN=System"


def examine_domain(
    directory: Directory,
    units: Sequence[str],
    templates: Sequence[Template],
    clock: Clock,
    *,
    everybody: bool = False,
) -> Iterator[Finding]:
    """Ask the first DC that answers; read only.

    Why none answers is said by the lines of the DCs themselves. `everybody`: look at
    the rights on each user, not on a sample.
    """
    part = "service account"
    try:
        with directory.connect() as dc:
            if not isinstance(dc, Examinable):
                yield unclear(part, "not_told")
                return
            rights = _account_and_rights(dc, units, clock, everybody=everybody)
            yield from _readable(part, rights)
            synced = [each for each in templates if each.pin_policy.update_ad_password]
            yield from _readable("domain policy", _domain_policy(dc, synced))
            yield from _readable("policies", _people(dc, units, synced))
    except DirectoryError:
        yield unclear(part, "not_signed_in")


def _account_and_rights(
    dc: Examinable, units: Sequence[str], clock: Clock, *, everybody: bool
) -> Iterator[Finding]:
    facts = dc.service_account()
    yield from examine_account(facts, clock)
    yield from examine_rights(dc, facts, units, everybody=everybody)
    yield from _policies_readable(dc, facts)


def _readable(part: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Let a reading that fails be a line, and end no other."""
    try:
        yield from findings
    except ReadFailed as error:
        advice = Message("doctor.unreadable_advice")
        yield Finding(part, Health.UNKNOWN, said(error), advice)


# --- policies ----------------------------------------------------------------


def _policies_readable(dc: Examinable, facts: ServiceFacts) -> Iterator[Finding]:
    part = "fine-grained policies"
    guard = dc.guarded(f"{_POLICIES},{dc.domain_head()}")
    try:
        descriptor = parse(guard.descriptor if guard else b"")
    except MalformedDescriptor:
        yield unclear(part, "policies_hidden")
        return
    token = frozenset(map(sid_text, facts.token)) | WELL_KNOWN
    verdict = may(descriptor, TokenHolder(token), Access.READ_PROPERTY)
    if verdict is RightsVerdict.YES:
        yield ok(part, "policies_readable")
    else:
        yield warn(part, "policies_unreadable")


def _domain_policy(dc: Examinable, templates: Sequence[Template]) -> Iterator[Finding]:
    policy = dc.domain_policy()
    for template in templates:
        part = f"domain policy, {template.name}"
        rule = _broken(template, None, policy)
        if rule is None:
            yield ok(part, "domain_fits", template=template.name)
        else:
            yield warn(part, "domain_contradicts", template=template.name, rule=rule)


def _people(
    dc: Examinable, units: Sequence[str], templates: Sequence[Template]
) -> Iterator[Finding]:
    """Look at the policy of one user in each unit."""
    for each in units:
        try:
            unit = UserContainer.parse(each)
        except NotAUnit:
            continue
        for person in dc.people(unit.dn, protected=False)[:1]:
            yield from _person(f"policy in {unit.dn}", dc, person, templates)


def _person(
    part: str, dc: Examinable, person: Account, templates: Sequence[Template]
) -> Iterator[Finding]:
    name = person.sam_account_name
    try:
        policy = dc.password_policy(person)
    except PolicyUnreadable as error:
        hidden = str(error.data["policy"])
        yield fail(part, "policy_unreadable_for", policy=hidden, account=name)
        return
    yield ok(part, "policy_read", source=policy.source)
    for template in templates:
        rule = _broken(template, person, policy)
        if rule is not None:
            yield warn(
                f"{part}, {template.name}",
                "person_contradicts",
                account=name,
                template=template.name,
                rule=rule,
            )


def _broken(
    template: Template, person: Account | None, policy: PasswordPolicy
) -> Rule | None:
    """Name the rule that no PIN can satisfy; None: some PIN can."""
    return contradiction(effective(limits_of(template), template, person, policy))
