"""A site's own rules, to rehearse with simulated cards: what will happen on Monday?"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.directory.values import PasswordPolicy
from statemachine.lifecycle import Lifecycle
from storage.records import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """What takes the place of what a scenario says; empty: nothing does."""

    templates: tuple[Template, ...] = ()
    lifecycle: Lifecycle | None = None
    profile: ComplianceProfile | None = None
    policy: PasswordPolicy | None = None
    """The domain's own, as it is today."""
