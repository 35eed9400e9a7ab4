"""What a site binds itself to beyond its templates: the FIPS 201-3 profile.

One switch. A PIN has at least six digits (FIPS 201-3 §4.3.1), ten tries at most
(SP 800-73-5 part 2 §2.4); changing it at a kiosk is allowed (§2.9.3.1); setting it anew
is not left to whoever holds the card (§2.9.3.2): without the helpdesk it needs a second
factor.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from kiosk.pin.rules import PinRules
from storage.records import UnblockMethod

FIPS_MINIMUM = 6
FIPS_TRIES = 10
UNATTENDED = frozenset({UnblockMethod.HOLDER_PUK})
"""Methods that no operator has part in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceProfile:
    """The default binds a site to nothing."""

    fips_201: bool = False
    second_factor: bool = False
    """Unattended unblocks need a release code besides."""

    def tightened(self, rules: PinRules) -> PinRules:
        """Return the rules with what the profile adds."""
        if not self.fips_201:
            return rules
        minimum = max(rules.minimum, FIPS_MINIMUM)
        return replace(rules, minimum=minimum, refuse_weak=True)

    def allows(self, method: UnblockMethod) -> bool:
        """Say whether a PIN may be set anew by that method."""
        return not self.fips_201 or self.second_factor or method not in UNATTENDED

    def allows_tries(self, left: int | None) -> bool:
        """Say whether a card whose PIN has so many tries left may have them."""
        return not self.fips_201 or left is None or left <= FIPS_TRIES

    def wants_code(self, method: UnblockMethod | None) -> bool:
        """Say whether a release code is needed where the method asks for none."""
        return self.second_factor and method in UNATTENDED
