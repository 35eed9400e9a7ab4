"""What the FIPS 201-3 profile requires of a site, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kiosk.authority.rules.compliance import (
    FIPS_MINIMUM,
    FIPS_TRIES,
    UNATTENDED,
    ComplianceProfile,
)
from kiosk.doctor import Finding, fail, ok, warn
from storage.records import Template

_PART = "FIPS 201-3"
_CHANGES = ("change active", "change issued")


def fips_201(
    profile: ComplianceProfile, templates: Iterable[Template], removed: Iterable[str]
) -> Iterator[Finding]:
    """List every requirement. `removed`: edges that the site does not allow.

    The kiosk keeps to the profile whatever a template says; a template that says
    something else misleads whoever reads it.
    """
    there = tuple(templates)
    short = [it.name for it in there if it.pin_policy.minimum < FIPS_MINIMUM]
    if short:
        yield warn(_PART, "fips_short", least=FIPS_MINIMUM, templates=", ".join(short))
    else:
        yield ok(_PART, "fips_length", least=FIPS_MINIMUM)
    yield ok(_PART, "fips_tries", most=FIPS_TRIES)
    if set(removed) & set(_CHANGES):
        yield fail(_PART, "fips_no_change")
    else:
        yield ok(_PART, "fips_change")
    yield from _unblocks(profile, there)


def _unblocks(
    profile: ComplianceProfile, templates: tuple[Template, ...]
) -> Iterator[Finding]:
    """Setting a PIN anew is not left to whoever holds the card (§2.9.3.2)."""
    if profile.second_factor:
        yield ok(_PART, "fips_second_factor")
        return
    stuck = [
        it.name for it in templates if it.unblock and not set(it.unblock) - UNATTENDED
    ]
    if stuck:
        yield fail(_PART, "fips_nobody_unblocks", templates=", ".join(stuck))
    else:
        yield ok(_PART, "fips_attended")
