"""By which method a card's PIN can be set anew without the old one.

The authority decides once, when an operation is prepared, and writes it down: a
station cannot choose the method that asks for less.
"""

from __future__ import annotations

from kiosk.authority.escrow import puks
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.values import CardLimits
from kiosk.pin.alphabet import Alphabet
from storage.records import CardType, Credential, Escrow, Template, UnblockMethod

ANY_CARD = CardLimits(
    minimum=4, maximum=16, alphabet=Alphabet.PRINTABLE, has_admin_key=True
)
"""For questions about a card that is not there: it may have everything."""

BY_RELEASE = frozenset({UnblockMethod.RELEASE_CODE, UnblockMethod.ADMIN_KEY_ONLINE})
"""Methods that nothing but a helpdesk's release code authorises."""


def keeps_admin_key(credential: Credential) -> bool:
    """Say whether an administrator key that sets PINs is in escrow.

    A PIV card's management key is kept in the same place and is another thing: it
    answers no challenge for anybody.
    """
    is_piv = credential.card.startswith(f"{CardType.PIV}:")
    return bool(credential.admin_key_sealed) and not is_piv


def wants_code(
    method: UnblockMethod | None,
    profile: ComplianceProfile,
    escrow: Escrow,
    card: CardLimits,
) -> bool:
    """Say whether a helpdesk's release code is needed; where no method is, it is.

    The holder's own PUK needs one, too, where a wrong one could be the last try.
    """
    if method is UnblockMethod.HOLDER_PUK and puks.at_last_try(escrow, card.puk_left):
        return True
    return method is None or method in BY_RELEASE or profile.wants_code(method)


def method_of(
    credential: Credential,
    template: Template,
    card: CardLimits,
    profile: ComplianceProfile,
) -> UnblockMethod | None:
    """Return the best that template, card, escrow and the site's profile allow."""
    has_puk = card.has_puk and card.puk_left != 0
    possible = {
        UnblockMethod.ADMIN_KEY_ONLINE: card.has_admin_key
        and keeps_admin_key(credential),
        UnblockMethod.RELEASE_CODE: has_puk and puks.can_release(credential.escrow),
        UnblockMethod.ADMIN_KEY_PHONE: card.has_admin_key,
        UnblockMethod.HOLDER_PUK: has_puk,
    }
    return next(
        (
            method
            for method, can in possible.items()
            if can and method in template.unblock and profile.allows(method)
        ),
        None,
    )
