"""Every domain controller by itself: reached, trusted, signed in to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from kiosk.authority.office.templates import limits_of
from kiosk.authority.rules.effective import effective
from kiosk.core.clock import Clock
from kiosk.core.errors import Message
from kiosk.directory.errors import (
    AccountMissing,
    DirectoryError,
    ReadFailed,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
)
from kiosk.directory.ports import (
    Directory,
    DomainController,
    Examinable,
    Inspectable,
    NamesInCertificates,
)
from kiosk.directory.values import Account, NameAttribute
from kiosk.doctor import Finding, Health, fail, ok, unknown, warn
from kiosk.doctor.service_account import certificate
from kiosk.pin.rules import contradiction
from storage.records import Template

NEEDED = frozenset({"lockoutTime", "pwdLastSet"})
"""What the service account writes beside the password; everything else is too much."""
_GLOBAL_CATALOG = frozenset({"3268", "3269"})
_NOBODY = "-"
"""A name that nobody has: only whether the search is answered counts."""
CLOCKS_APART = 60.0
"""Seconds that a DC's clock and ours may differ without a word."""


def located(
    directory: Directory, domain: str, clock: Clock, *, base: str = ""
) -> Iterator[Finding]:
    """Connect to each domain controller that DNS tells of, one after the other."""
    try:
        dcs = directory.controllers()
    except Unreachable as error:
        yield _refused(f"directory {domain}", error, "reach")
        return
    for dc in dcs:
        yield from controller(directory, dc, clock, base=base)


def controller(
    directory: Directory, dc: str, clock: Clock, *, base: str = ""
) -> Iterator[Finding]:
    """Connect to one domain controller as the kiosk does, search, and let go.

    `base`: where people are looked for; empty: that is not looked at.
    """
    host, _, port = dc.rpartition(":")
    if host and port in _GLOBAL_CATALOG:
        yield fail(f"directory {dc}", "global_catalog", port=port)
        return
    reach, tls, bind = f"directory {dc}", f"tls {dc}", f"sign-in {dc}"
    expires, seconds = None, None
    searched: list[Finding] = []
    try:
        with directory.connect(dc) as connected:
            if isinstance(connected, Examinable):
                expires = connected.certificate_expires()
            try:
                seconds = _clocks_apart(connected, clock)
                searched += _searches(f"search {dc}", connected, base)
            except ReadFailed as error:
                searched.append(_refused(f"search {dc}", error, "read"))
    except Unreachable as error:
        yield _refused(reach, error, "reach")
        yield unknown(tls, "not_reached")
        yield unknown(bind, "not_reached")
    except TlsRefused as error:
        yield ok(reach, "reached")
        yield _refused(tls, error, "tls")
        yield unknown(bind, "not_trusted")
    except ServiceBindRefused as error:
        yield ok(reach, "reached")
        yield ok(tls, "trusted")
        yield _refused(bind, error, "sign_in")
    else:
        yield ok(reach, "reached")
        yield ok(tls, "trusted")
        yield ok(bind, "signed_in")
        if expires is not None:
            yield from certificate(f"certificate {dc}", expires, clock)
        yield from searched
        yield from _clock(f"clock {dc}", seconds)


def _searches(part: str, dc: DomainController, base: str) -> Iterator[Finding]:
    """Look whether people can be found where they are looked for. ReadFailed."""
    if not base or not isinstance(dc, Examinable):
        return
    head = dc.domain_head()
    if not _bare(f",{base}").endswith(_bare(f",{head}")):
        yield fail(part, "other_domain", base=base, domain=head)
        return
    if dc.guarded(base) is None:
        yield fail(part, "base_missing", base=base)
        return
    with suppress(AccountMissing):
        dc.find(_NOBODY)
    yield ok(part, "searches")


def _bare(dn: str) -> str:
    """Return a DN without what may stand around its signs, to compare its end."""
    return re.sub(r" *([,=]) *", r"\1", dn.strip()).casefold()


def _clocks_apart(dc: DomainController, clock: Clock) -> float | None:
    return clock.now() - dc.time() if isinstance(dc, Inspectable) else None


def _clock(part: str, seconds: float | None) -> Iterator[Finding]:
    if seconds is None:
        return
    if abs(seconds) > CLOCKS_APART:
        yield fail(part, "clocks_differ", seconds=round(abs(seconds)))
    else:
        yield ok(part, "clocks_agree")


def _refused(part: str, error: DirectoryError, group: str) -> Finding:
    """Say what it means for an administrator, who can read more than a holder.

    The advice is that for its reason (`doctor.fix.<group>.<reason>`).
    """
    meaning = error.detail or error.message
    reason = error.data.get("reason", "other")
    return Finding(
        part,
        Health.FAIL,
        meaning,
        Message(f"doctor.fix.{group}.{reason}", dict(meaning.data)),
    )


def account(
    directory: Directory,
    name: str,
    templates: Sequence[Template],
    named_by: NameAttribute | None = None,
) -> Iterator[Finding]:
    """Look at one account as the kiosk would: found, changeable, its password policy.

    Which templates could ever give it a PIN that the directory takes. `named_by`: where
    the site looks for what names the account in certificates.
    """
    part = f"account {name}"
    with directory.connect() as dc:
        found = dc.find(name)
        if found.privileged or not found.enabled or found.expired:
            yield warn(part, "account_untouchable")
        else:
            yield ok(part, "account_found")
        yield from _rights(f"rights {name}", dc, found)
        yield from _named(f"certificates {name}", dc, found, named_by)
        policy = dc.password_policy(found)
    yield ok(f"policy {name}", "policy_read", source=policy.source)
    for template in templates:
        if not template.pin_policy.update_ad_password:
            continue
        broken = contradiction(effective(limits_of(template), template, found, policy))
        if broken is not None:
            yield fail(
                f"template {template.name}", f"impossible_{broken}", account=name
            )
        else:
            yield ok(f"template {template.name}", "possible", account=name)


def _named(
    part: str, dc: DomainController, account: Account, attribute: NameAttribute | None
) -> Iterator[Finding]:
    """Look whether it may be read by what certificates are mapped, and is there."""
    if attribute is None or not isinstance(dc, NamesInCertificates):
        return
    try:
        values = dc.values_of(account, attribute)
    except ReadFailed as error:
        if error.data.get("reason") != "hidden":
            raise
        yield fail(part, "named_hidden", attribute=attribute)
        return
    if values:
        yield ok(part, "named", attribute=attribute)
    else:
        yield warn(part, "unnamed", attribute=attribute)


def _rights(part: str, dc: DomainController, account: Account) -> Iterator[Finding]:
    """Compare what we may write with what we need. The right to reset is not shown."""
    if not isinstance(dc, Inspectable):
        return
    writable = dc.writable(account)
    if missing := NEEDED - writable:
        yield fail(part, "rights_missing", attributes=", ".join(sorted(missing)))
    elif excess := writable - NEEDED:
        few = ", ".join(sorted(excess)[:3])
        yield warn(part, "rights_excess", count=len(excess), attributes=few)
    else:
        yield ok(part, "rights_exact")
