"""What the service account may do, and that it may do no more: place by place.

Proven by reading security descriptors and the account's own token, never by trying: a
write that succeeds is no test. What cannot be read is "unknown", not "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kiosk.directory.containers import NotAUnit, UserContainer
from kiosk.directory.delegation import (
    CHANGE_PASSWORD,
    EVERYBODYS,
    NEEDED,
    PASSWORD_MARK,
    TO_READ,
    Right,
)
from kiosk.directory.descriptor import Descriptor, MalformedDescriptor, parse, sid_text
from kiosk.directory.effective_rights import WELL_KNOWN, TokenHolder
from kiosk.directory.ports import Examinable
from kiosk.directory.values import Account, Guarded, ServiceFacts
from kiosk.doctor import Finding, Health, fail, ok, rights, unclear, warn

_DOMAIN_SID = "S-1-5-21-"
_PROTECTED_GROUPS = (512, 516, 518, 519, 520, 521, 526, 527)
"""Domain Admins, Domain Controllers, Schema and Enterprise Admins, Group Policy
Creator Owners, read-only controllers, Key Admins, Enterprise Key Admins."""
_PROTECTED_BUILTIN = (544, 548, 549, 550, 551)
"""Administrators, Account, Server, Print and Backup Operators."""
_SETTINGS = "CN=Password Settings Container,CN=System"
_FIRST_POLICIES = (
    "31B2F340-016D-11D2-945F-00C04FB984F9",
    "6AC1786C-016F-11D2-945F-00C04FB984F9",
)
"""Of the domain, and of its controllers; other ones are made below the same place."""
_FEW = 4
_USERS = 200

Token = frozenset[str]
Judge = Callable[[Descriptor, TokenHolder], rights.Judged]


def examine_rights(
    dc: Examinable,
    facts: ServiceFacts,
    units: Sequence[str],
    *,
    everybody: bool = False,
) -> Iterator[Finding]:
    """Look at each unit and at users in it, and at what masters the domain. ReadFailed.

    `everybody`: at each user, not at one of each container.
    """
    look = _Look(dc, facts.account, everybody=everybody)
    token = frozenset(map(sid_text, facts.token)) | WELL_KNOWN | {sid_text(facts.sid)}
    delegated = [unit for each in units if (unit := _parsed(each))]
    if not delegated:
        yield warn("rights", "no_units")
    for unit in delegated:
        yield from _inside(look, unit, token)
    head = dc.domain_head()
    yield from _outside(look, head, delegated, token)
    yield from masters(dc, head, token)
    itself = dc.guarded(facts.account.dn)
    yield _no_more("rights on itself", itself, token, rights.on_itself)
    yield _no_more("rights on the domain", dc.guarded(head), token, rights.on_domain)


# --- places ------------------------------------------------------------------


def _inside(look: _Look, unit: UserContainer, token: Token) -> Iterator[Finding]:
    part = f"rights in {unit.dn}"
    guard = look.dc.guarded(unit.dn)
    if guard is None:
        yield fail(part, "unit_missing", unit=unit.dn)
        return
    yield _no_more(f"rights on {unit.dn}", guard, token, rights.besides)
    yield from _below(f"rights below {unit.dn}", guard, token)
    seen = look.at(unit.dn, protected=False)
    if not seen.guards:
        yield unclear(part, "unit_empty")
        return
    yield from _worst(_enough(part, each, token) for each in seen.guards)
    reading = f"reading in {unit.dn}"
    yield from _worst(_readable(reading, each, token) for each in seen.guards)
    judge = _but(*NEEDED, CHANGE_PASSWORD)
    more = f"{part}, no more"
    yield from _worst(_no_more(more, each, token, judge) for each in seen.guards)
    yield _counted(f"{part}, looked at", seen)


def _below(part: str, guard: Guarded, token: Token) -> Iterator[Finding]:
    """Look at what a unit hands down to objects that are no users."""
    descriptor = _descriptor(guard)
    handed = rights.handed_down(descriptor, _caller(token, guard)) if descriptor else ()
    if handed:
        yield fail(part, "rights_handed_down", rights=_few(handed), object=guard.dn)


def _outside(
    look: _Look, head: str, units: Sequence[UserContainer], token: Token
) -> Iterator[Finding]:
    """Look at those whom the domain protects, and at those in no unit."""
    # Where no unit is named, nobody can say who is outside of one.
    spared = (CHANGE_PASSWORD,) if units else (*NEEDED, CHANGE_PASSWORD)
    for part, protected, judge in (
        ("rights on protected accounts", True, _but(CHANGE_PASSWORD)),
        ("rights outside", False, _but(*spared)),
    ):
        inside = () if protected else units
        seen = look.at(head, protected=protected, but_in=inside)
        if not seen.guards:
            yield unclear(part, "nobody_there")
            continue
        yield from _worst(_no_more(part, each, token, judge) for each in seen.guards)
        yield _counted(f"{part}, looked at", seen)


def _counted(part: str, seen: _Sample) -> Finding:
    """Say how many were looked at: a sample is no proof."""
    key = "looked_at_all" if seen.is_whole else "looked_at"
    return ok(part, key, count=len(seen.guards))


# --- findings ----------------------------------------------------------------


def _enough(part: str, guard: Guarded, token: Token) -> Finding:
    """Say whether the account may do to a user what it has to."""
    descriptor = _descriptor(guard)
    if descriptor is None:
        return unclear(part, "descriptor_hidden", object=guard.dn)
    judged = rights.needed(descriptor, _caller(token, guard))
    had = judged.certainly + judged.perhaps
    lacking = ", ".join(right.name for right in NEEDED if right.name not in had)
    if lacking:
        return fail(part, "delegation_missing", rights=lacking, object=guard.dn)
    if judged.perhaps:
        words = ", ".join(judged.perhaps)
        return unclear(part, "delegation_doubtful", rights=words, object=guard.dn)
    return ok(part, "delegation_found", object=guard.dn)


def _readable(part: str, guard: Guarded, token: Token) -> Finding:
    """Say whether what decides may be read, and who else set a password."""
    descriptor = _descriptor(guard)
    if descriptor is None:
        return unclear(part, "descriptor_hidden", object=guard.dn)
    judged = rights.readable(descriptor, _caller(token, guard))
    lacking = [right for right in TO_READ if right.name not in judged.certainly]
    if not lacking:
        return ok(part, "reading_found", object=guard.dn)
    if lacking == [PASSWORD_MARK]:
        return warn(part, "mark_hidden", object=guard.dn)
    names = ", ".join(right.name for right in lacking)
    return fail(part, "reading_missing", rights=names, object=guard.dn)


def _no_more(part: str, guard: Guarded | None, token: Token, judge: Judge) -> Finding:
    """Say what the account may do besides the rights that it should have."""
    if guard is None:
        return unclear(part, "nobody_there")
    descriptor = _descriptor(guard)
    if descriptor is None:
        return unclear(part, "descriptor_hidden", object=guard.dn)
    judged = judge(descriptor, _caller(token, guard))
    if judged.certainly:
        words = _few(judged.certainly)
        return fail(part, "too_many_rights", rights=words, object=guard.dn)
    if judged.perhaps:
        words = _few(judged.perhaps)
        return unclear(part, "rights_doubtful", rights=words, object=guard.dn)
    return ok(part, "no_more_rights", object=guard.dn)


def _but(*spared: Right) -> Judge:
    """Return the judgement of everything but some rights."""
    return lambda descriptor, caller: rights.besides(
        descriptor, caller, frozenset(spared)
    )


def masters(dc: Examinable, head: str, token: Token) -> Iterator[Finding]:
    """Look at what rules the domain without being its head. ReadFailed."""
    domain = next((sid for sid in sorted(token) if sid.startswith(_DOMAIN_SID)), "")
    sid = domain.rpartition("-")[0]
    groups = [
        *(f"<SID={sid}-{relative}>" for relative in _PROTECTED_GROUPS if sid),
        *(f"<SID=S-1-5-32-{relative}>" for relative in _PROTECTED_BUILTIN),
    ]
    policies = f"CN=Policies,CN=System,{head}"
    places = (
        ("rights on protected groups", groups),
        ("rights on AdminSDHolder", [f"CN=AdminSDHolder,CN=System,{head}"]),
        ("rights on password policies", [f"{_SETTINGS},{head}"]),
        (
            "rights on group policies",
            [policies, *(f"CN={{{each}}},{policies}" for each in _FIRST_POLICIES)],
        ),
        (
            "rights on domain controllers",
            [f"OU=Domain Controllers,{head}", *dc.controllers_accounts()],
        ),
    )
    judge = _but(*EVERYBODYS)
    for part, names in places:
        guards = [guard for name in names if (guard := dc.guarded(name)) is not None]
        if not guards:
            yield unclear(part, "nobody_there")
            continue
        yield from _worst(_no_more(part, each, token, judge) for each in guards)


def _worst(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is not well of the same thing seen in several places, else one."""
    found = list(findings)
    yield from [each for each in found if each.health is not Health.OK] or found[:1]


def _few(words: Sequence[str]) -> str:
    more = ", …" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + more


# --- objects -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some users, or all."""

    guards: tuple[Guarded, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """How many users are looked at; never at ourselves."""

    dc: Examinable
    us: Account
    everybody: bool

    def at(
        self, below: str, *, protected: bool, but_in: Sequence[UserContainer] = ()
    ) -> _Sample:
        """Return the guards of users below an object. ReadFailed."""
        if self.everybody:
            found = self.dc.guards(below, protected=protected)
            return _Sample(
                tuple(each for each in found if self._is_meant(each.dn, but_in)),
                is_whole=True,
            )
        people = [
            each
            for each in self.dc.people(below, protected=protected)
            if self._is_meant(each.dn, but_in)
        ]
        some = people if protected else _spread(people)
        return _Sample(_guards(self.dc, some), is_whole=False)

    def _is_meant(self, dn: str, but_in: Sequence[UserContainer]) -> bool:
        is_us = dn.casefold() == self.us.dn.casefold()
        return not is_us and not any(unit.holds(dn) for unit in but_in)


def _spread(users: Sequence[Account]) -> list[Account]:
    """Return one user of each container: users differ by where they are."""
    return list({user.dn.casefold().partition(",")[2]: user for user in users}.values())


def _guards(dc: Examinable, users: Sequence[Account]) -> tuple[Guarded, ...]:
    """Return the guards of a few users."""
    found = [dc.guarded(user.dn) for user in users[:_USERS]]
    return tuple(guard for guard in found if guard is not None)


def _descriptor(guard: Guarded) -> Descriptor | None:
    """Read a guard; None if it may not be read, or makes no sense."""
    try:
        return parse(guard.descriptor)
    except MalformedDescriptor:
        return None


def _caller(token: frozenset[str], guard: Guarded) -> TokenHolder:
    return TokenHolder(token, sid_text(guard.sid) if guard.sid else "")


def _parsed(dn: str) -> UserContainer | None:
    """Return a unit; None if the DN names a whole domain, or nothing."""
    try:
        return UserContainer.parse(dn)
    except NotAUnit:
        return None
