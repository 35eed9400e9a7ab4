"""What a PIV card is and stays while it is in the reader: read once per insertion.

Which reference its PIN has, what it tells of itself, what its authentication key
wants. None of it costs a try.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv import objects
from kiosk.cards.piv.application import GLOBAL_PIN, PIN, PivApplication
from kiosk.cards.piv.policies import (
    KeyPinPolicy,
    KeyPolicies,
    TouchPolicy,
    read_policies,
)
from kiosk.cards.values import CardIdentity, IdentityKind, KeySlot

_SILENT = KeyPolicies(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One card's traits."""

    pin_reference: int = PIN
    pin_is_told: bool = True
    """The card has said so; else it is the one that every PIV card should have."""
    has_metadata: bool = False
    """It tells counters and policies (INS F7)."""
    policies: KeyPolicies = _SILENT
    """Of the authentication key."""

    @property
    def pin_is_global(self) -> bool:
        return self.pin_reference == GLOBAL_PIN

    @property
    def touch(self) -> bool | None:
        """The authentication key wants a touch; None: the card does not tell."""
        if self.policies.touch is None:
            return None
        return self.policies.touch is not TouchPolicy.NEVER

    @property
    def may_want_pin_each_time(self) -> bool:
        """The authentication key may want VERIFY directly before each signature."""
        each_time = (None, KeyPinPolicy.ALWAYS, KeyPinPolicy.MATCH_ALWAYS)
        return self.policies.pin in each_time


def read_traits(application: PivApplication, identity: CardIdentity) -> Traits:
    """Ask a card that is known by `identity`: one APDU.

    Its PIN reference comes from the discovery object, which YubiKeys need not be asked
    for. Whether it tells metadata is `traits_of_yubikey`'s business.
    """
    if identity.kind is IdentityKind.SERIAL:
        return Traits()
    usage = application.optional.read(
        "discovery object",
        lambda: objects.read_discovery(
            application.object(objects.DISCOVERY, "discovery object")
        ),
    )
    if usage is None:
        return Traits(pin_is_told=False)
    return Traits(pin_reference=GLOBAL_PIN if usage.global_is_primary else PIN)


def traits_of_yubikey(application: PivApplication) -> Traits:
    """Ask for the policies of 9A: one APDU. What means nothing is not told."""
    value = application.metadata(int(KeySlot.AUTHENTICATION, 16))
    if value is None:
        return Traits(has_metadata=True)
    try:
        return Traits(has_metadata=True, policies=read_policies(value))
    except MalformedAnswer:
        return Traits(has_metadata=True)
