"""The service account and the line it uses: weeks before either of them runs out."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.clock import Clock
from kiosk.directory.values import ServiceFacts
from kiosk.doctor import Finding, fail, ok, warn

DAY = 86_400.0
SOON = 28 * DAY
"""How long before its end something is announced, in seconds."""


def certificate(part: str, expires: float, clock: Clock) -> Iterator[Finding]:
    """Say how long the certificate that a DC shows will last."""
    days = _days(expires, clock)
    if expires - clock.now() < SOON:
        yield warn(part, "certificate_soon", days=days)
    else:
        yield ok(part, "certificate_lasts", days=days)


def examine_account(facts: ServiceFacts, clock: Clock) -> Iterator[Finding]:
    """Say whether the account can go on signing in, and whether it is ordinary."""
    part = "service account"
    account = facts.account
    if not account.enabled:
        yield fail(part, "service_disabled")
    elif account.locked:
        yield fail(part, "service_locked")
    else:
        yield ok(part, "service_ordinary" if not account.privileged else "service_open")
    if account.privileged:
        yield fail(f"{part}, groups", "service_privileged")
    yield from _end(f"{part}, password", "password", facts.password_expires, clock)
    yield from _end(f"{part}, end", "account", facts.account_expires, clock)


def _end(
    part: str, what: str, expires: float | None, clock: Clock
) -> Iterator[Finding]:
    if expires is None:
        yield ok(part, f"service_{what}_never")
    elif expires <= clock.now():
        yield fail(part, f"service_{what}_over")
    elif expires - clock.now() < SOON:
        yield warn(part, f"service_{what}_soon", days=_days(expires, clock))
    else:
        yield ok(part, f"service_{what}_lasts", days=_days(expires, clock))


def _days(expires: float, clock: Clock) -> int:
    return max(0, int((expires - clock.now()) // DAY))
