"""What the service account may do, and that it may do no more: place by place.

Proven by reading security descriptors and the account's own token, never by trying: a
write that succeeds is no test. What cannot be read is "unknown", not "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from kiosk.directory.delegation import (
    CHANGE_PASSWORD,
    NEEDED,
    PASSWORD_MARK,
    TO_READ,
    NotAUnit,
    Right,
    Unit,
)
from kiosk.directory.descriptor import Descriptor, Malformed, parse, sid_text
from kiosk.directory.effective import WELL_KNOWN, Caller
from kiosk.directory.ports import Account, Examinable, Guarded, ServiceFacts
from kiosk.doctor import Finding, Health, fail, ok, rights, unclear, warn

_FEW = 4
_USERS = 200

Token = frozenset[str]
Judge = Callable[[Descriptor, Caller], rights.Judged]


def examine_rights(
    dc: Examinable, facts: ServiceFacts, units: Sequence[str]
) -> Iterator[Finding]:
    """Look at each unit and at users in it, and at four things outside. ReadFailed."""
    token = frozenset(map(sid_text, facts.token)) | WELL_KNOWN | {sid_text(facts.sid)}
    delegated = [unit for each in units if (unit := _parsed(each))]
    if not delegated:
        yield warn("rights", "no_units")
    for unit in delegated:
        yield from _inside(dc, unit, token, facts.account)
    head = dc.domain_head()
    yield from _outside(dc, head, delegated, token, facts.account)
    itself = dc.guarded(facts.account.dn)
    yield _no_more("rights on itself", itself, token, rights.on_itself)
    yield _no_more("rights on the domain", dc.guarded(head), token, rights.on_domain)


# --- places ------------------------------------------------------------------


def _inside(dc: Examinable, unit: Unit, token: Token, us: Account) -> Iterator[Finding]:
    part = f"rights in {unit.dn}"
    guard = dc.guarded(unit.dn)
    if guard is None:
        yield fail(part, "unit_missing", unit=unit.dn)
        return
    yield _no_more(f"rights on {unit.dn}", guard, token, rights.besides)
    yield from _below(f"rights below {unit.dn}", guard, token)
    users = [
        each for each in dc.people(unit.dn, protected=False) if each.guid != us.guid
    ]
    guards = _guards(dc, _spread(users))
    if not guards:
        yield unclear(part, "unit_empty")
        return
    yield from _worst(_enough(part, each, token) for each in guards)
    yield from _worst(_readable(f"reading in {unit.dn}", g, token) for g in guards)
    judge = _but(*NEEDED, CHANGE_PASSWORD)
    part = f"{part}, no more"
    yield from _worst(_no_more(part, each, token, judge) for each in guards)


def _below(part: str, guard: Guarded, token: Token) -> Iterator[Finding]:
    """Look at what a unit hands down to objects that are no users."""
    descriptor = _descriptor(guard)
    handed = rights.handed_down(descriptor, _caller(token, guard)) if descriptor else ()
    if handed:
        yield fail(part, "rights_handed_down", rights=_few(handed), object=guard.dn)


def _outside(
    dc: Examinable, head: str, units: Sequence[Unit], token: Token, us: Account
) -> Iterator[Finding]:
    """Look at those whom the domain protects, and at those in no unit."""
    protected = [
        each for each in dc.people(head, protected=True) if each.guid != us.guid
    ]
    ordinary = [
        each
        for each in dc.people(head, protected=False)
        if each.guid != us.guid and not any(unit.holds(each.dn) for unit in units)
    ]
    # Where no unit is named, nobody can say who is outside of one.
    spared = (CHANGE_PASSWORD,) if units else (*NEEDED, CHANGE_PASSWORD)
    for part, users, judge in (
        ("rights on protected accounts", protected, _but(CHANGE_PASSWORD)),
        ("rights outside", _spread(ordinary), _but(*spared)),
    ):
        guards = _guards(dc, users)
        if not guards:
            yield unclear(part, "nobody_there")
        yield from _worst(_no_more(part, each, token, judge) for each in guards)


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


def _worst(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is not well of the same thing seen in several places, else one."""
    found = list(findings)
    yield from [each for each in found if each.health is not Health.OK] or found[:1]


def _few(words: Sequence[str]) -> str:
    more = ", …" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + more


# --- objects -----------------------------------------------------------------


def _spread(users: Sequence[Account]) -> list[Account]:
    """Return one user of each container: users differ by where they are."""
    return list({user.dn.casefold().partition(",")[2]: user for user in users}.values())


def _guards(dc: Examinable, users: Sequence[Account]) -> list[Guarded]:
    """Return the guards of a few users."""
    found = [dc.guarded(user.dn) for user in users[:_USERS]]
    return [guard for guard in found if guard is not None]


def _descriptor(guard: Guarded) -> Descriptor | None:
    """Read a guard; None if it may not be read, or makes no sense."""
    try:
        return parse(guard.descriptor)
    except Malformed:
        return None


def _caller(token: frozenset[str], guard: Guarded) -> Caller:
    return Caller(token, sid_text(guard.sid) if guard.sid else "")


def _parsed(dn: str) -> Unit | None:
    """Return a unit; None if the DN names a whole domain, or nothing."""
    try:
        return Unit.parse(dn)
    except NotAUnit:
        return None
