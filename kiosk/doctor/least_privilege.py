"""What the service account may do, and that it may do no more.

Proven by reading security descriptors and the account's own token, never by trying: a
write that succeeds is no test. What cannot be read is "unknown", not "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from kiosk.directory import delegation as rights
from kiosk.directory.delegation import Access, NotAUnit, Right, Unit
from kiosk.directory.descriptor import (
    Descriptor,
    Effect,
    Inheritance,
    Malformed,
    parse,
    sid_text,
)
from kiosk.directory.effective import WELL_KNOWN, Caller, Verdict, kinds, may
from kiosk.directory.ports import Account, Examinable, Guarded, ServiceFacts
from kiosk.doctor import Finding, Health, fail, ok, unclear, warn

_ON_THE_OBJECT = {
    Access.WRITE_DACL: "change permissions",
    Access.WRITE_OWNER: "take ownership",
    Access.DELETE: "delete it",
    Access.DELETE_TREE: "delete all below",
}
_OF_A_KIND = {
    Access.CREATE_CHILD: "create objects",
    Access.DELETE_CHILD: "delete objects",
    Access.WRITE_PROPERTY: "write",
    Access.CONTROL: "extended right",
    Access.SELF: "validated write",
}
_READS = (
    Access.LIST_CHILDREN
    | Access.READ_PROPERTY
    | Access.LIST_OBJECT
    | Access.READ_CONTROL
    | 0x80000000  # the generic right to read
)
_NAMED = (
    *rights.NEEDED,
    rights.ACCOUNT_CONTROL,
    rights.SERVICE_NAMES,
    rights.KEY_CREDENTIALS,
    rights.CHANGE_PASSWORD,
    rights.REPLICATE_SECRETS,
)
_NAMES = {
    **{right.guid: right.name for right in _NAMED},
    rights.ACCOUNT_RESTRICTIONS: "User-Account-Restrictions",
    rights.PUBLIC_INFORMATION: "Public-Information",
}
_NOT_ON_ITSELF = (
    *rights.NEEDED,
    rights.ACCOUNT_CONTROL,
    rights.SERVICE_NAMES,
    rights.KEY_CREDENTIALS,
)
"""What would let the account change what it is; a telephone number may be its own."""
_FEW = 4
_USERS = 12


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the account may do to one object: by words, certain and not."""

    may: tuple[str, ...]
    perhaps: tuple[str, ...]


def examine_rights(
    dc: Examinable, facts: ServiceFacts, units: Sequence[str]
) -> Iterator[Finding]:
    """Look at each unit and a user in it, and at four things outside. ReadFailed."""
    token = frozenset(map(sid_text, facts.token)) | WELL_KNOWN | {sid_text(facts.sid)}
    delegated = [unit for each in units if (unit := _parsed(each))]
    if not delegated:
        yield warn("rights", "no_units")
    for unit in delegated:
        yield from _inside(dc, unit, token, sid_text(facts.sid), facts.account)
    head = dc.domain_head()
    yield from _outside(dc, head, delegated, token, facts.account)
    yield from _itself(dc, facts, token)
    yield from _head(dc, head, token)


# --- places ------------------------------------------------------------------


def _inside(
    dc: Examinable, unit: Unit, token: frozenset[str], own: str, us: Account
) -> Iterator[Finding]:
    part = f"rights in {unit.dn}"
    guard = dc.guarded(unit.dn)
    if guard is None:
        yield fail(part, "unit_missing", unit=unit.dn)
        return
    yield from _unit_itself(f"rights on {unit.dn}", guard, token, own)
    users = [each for each in dc.people(unit.dn, protected=False) if each != us]
    guards = _guards(dc, _spread(users))
    if not guards:
        yield unclear(part, "unit_empty")
        return
    yield from _worst(_enough(part, each, token) for each in guards)
    spared = frozenset({*rights.NEEDED, rights.CHANGE_PASSWORD})
    yield from _worst(
        _no_more(f"{part}, no more", each, token, spared) for each in guards
    )


def _enough(part: str, guard: Guarded, token: frozenset[str]) -> Finding:
    """Say whether the account may do to a user what it has to."""
    descriptor = _descriptor(guard)
    if descriptor is None:
        return unclear(part, "descriptor_hidden", object=guard.dn)
    caller = _caller(token, guard)
    judged = _judged(
        {
            right.name: may(descriptor, caller, right.access, right.objects)
            for right in rights.NEEDED
        }
    )
    lacking = [
        right.name
        for right in rights.NEEDED
        if right.name not in judged.may + judged.perhaps
    ]
    if lacking:
        words = ", ".join(lacking)
        return fail(part, "delegation_missing", rights=words, object=guard.dn)
    if judged.perhaps:
        words = ", ".join(judged.perhaps)
        return unclear(part, "delegation_doubtful", rights=words, object=guard.dn)
    return ok(part, "delegation_found", object=guard.dn)


def _unit_itself(
    part: str, guard: Guarded, token: frozenset[str], own: str
) -> Iterator[Finding]:
    """Look at the unit, and at what it hands down to objects that are no users."""
    descriptor = _descriptor(guard)
    handed = tuple(_handed_down(descriptor, own)) if descriptor else ()
    if handed:
        words = _few(handed)
        below = f"rights below {guard.dn}"
        yield fail(below, "rights_handed_down", rights=words, object=guard.dn)
    yield _no_more(part, guard, token, frozenset())


def _outside(
    dc: Examinable,
    head: str,
    units: Sequence[Unit],
    token: frozenset[str],
    us: Account,
) -> Iterator[Finding]:
    """Look at those whom the domain protects, and at those in no unit."""
    protected = dc.people(head, protected=True)
    ordinary = [
        user
        for user in dc.people(head, protected=False)
        if user.guid != us.guid and not any(unit.holds(user.dn) for unit in units)
    ]
    spared = frozenset({rights.CHANGE_PASSWORD})
    for part, users in (
        ("rights on protected accounts", protected),
        ("rights outside", _spread(ordinary)),
    ):
        guards = _guards(dc, users)
        if not guards:
            yield unclear(part, "nobody_there")
        yield from _worst(_no_more(part, each, token, spared) for each in guards)


def _itself(
    dc: Examinable, facts: ServiceFacts, token: frozenset[str]
) -> Iterator[Finding]:
    part = "rights on itself"
    guard = dc.guarded(facts.account.dn)
    descriptor = _descriptor(guard) if guard else None
    if guard is None or descriptor is None:
        yield unclear(part, "descriptor_hidden", object=facts.account.dn)
        return
    caller = _caller(token, guard)
    verdicts = {
        **_object_verdicts(descriptor, caller),
        **{
            _spelled(right.access, right.guid): may(
                descriptor, caller, right.access, right.objects
            )
            for right in _NOT_ON_ITSELF
        },
    }
    yield _said(part, guard.dn, _judged(verdicts))


def _head(dc: Examinable, head: str, token: frozenset[str]) -> Iterator[Finding]:
    """Look at the domain as a whole: who may read every secret may do everything."""
    part = "rights on the domain"
    guard = dc.guarded(head)
    descriptor = _descriptor(guard) if guard else None
    if guard is None or descriptor is None:
        yield unclear(part, "descriptor_hidden", object=head)
        return
    caller = _caller(token, guard)
    replicate = rights.REPLICATE_SECRETS
    verdicts = {
        **_object_verdicts(descriptor, caller),
        replicate.name: may(descriptor, caller, replicate.access, replicate.objects),
    }
    for access in (Access.CREATE_CHILD, Access.DELETE_CHILD, Access.WRITE_PROPERTY):
        verdicts |= _kind_verdicts(descriptor, caller, access, frozenset())
    yield _said(part, head, _judged(verdicts))


# --- judging -----------------------------------------------------------------


def _no_more(
    part: str, guard: Guarded, token: frozenset[str], spared: frozenset[Right]
) -> Finding:
    """Say what the account may do besides the rights that it should have."""
    descriptor = _descriptor(guard)
    if descriptor is None:
        return unclear(part, "descriptor_hidden", object=guard.dn)
    caller = _caller(token, guard)
    verdicts = _object_verdicts(descriptor, caller)
    for access in _OF_A_KIND:
        verdicts |= _kind_verdicts(descriptor, caller, access, spared)
    return _said(part, guard.dn, _judged(verdicts))


def _said(part: str, dn: str, judged: _Judged) -> Finding:
    if judged.may:
        return fail(part, "too_many_rights", rights=_few(judged.may), object=dn)
    if judged.perhaps:
        return unclear(part, "rights_doubtful", rights=_few(judged.perhaps), object=dn)
    return ok(part, "no_more_rights", object=dn)


def _worst(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is not well of the same thing seen in several places, else one."""
    found = list(findings)
    yield from [each for each in found if each.health is not Health.OK] or found[:1]


def _object_verdicts(descriptor: Descriptor, caller: Caller) -> dict[str, Verdict]:
    return {
        words: may(descriptor, caller, access)
        for access, words in _ON_THE_OBJECT.items()
    }


def _kind_verdicts(
    descriptor: Descriptor, caller: Caller, access: Access, spared: frozenset[Right]
) -> dict[str, Verdict]:
    kept = {right.guid for right in spared if right.access == access}
    return {
        _spelled(access, kind): verdict
        for kind, verdict in kinds(descriptor, caller, access).items()
        if kind not in kept
    }


def _judged(verdicts: dict[str, Verdict]) -> _Judged:
    return _Judged(
        tuple(words for words, said in verdicts.items() if said is Verdict.YES),
        tuple(words for words, said in verdicts.items() if said is Verdict.UNKNOWN),
    )


def _handed_down(descriptor: Descriptor, own: str) -> Iterator[str]:
    """Yield what entries for the account itself give that was not to be delegated."""
    wanted = {(right.access, right.guid, rights.USER) for right in rights.NEEDED}
    for entry in descriptor.dacl or ():
        if entry.effect is not Effect.ALLOW or entry.trustee != own:
            continue
        if not entry.flags & Inheritance.INHERIT_ONLY:
            continue  # holds for the unit itself, and is judged there
        beyond = entry.mask & ~_READS
        if beyond and (beyond, entry.object_type, entry.inherited_type) not in wanted:
            yield from (
                _spelled(access, entry.object_type)
                for access in (*_ON_THE_OBJECT, *_OF_A_KIND)
                if beyond & access
            )


def _spelled(access: Access, kind: UUID | None) -> str:
    if access in _ON_THE_OBJECT:
        return _ON_THE_OBJECT[access]
    what = "of every kind" if kind is None else _NAMES.get(kind, str(kind))
    return f"{_OF_A_KIND[access]} {what}"


def _few(words: Sequence[str]) -> str:
    more = ", …" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + more


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
