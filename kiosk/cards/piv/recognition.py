"""What a PIV card is, put together without a try at its PIN."""

from __future__ import annotations

from dataclasses import replace

from kiosk.cards import status
from kiosk.cards.piv.application import (
    GLOBAL_PIN,
    PIN,
    PUK,
    NoCounter,
    PivApplication,
)
from kiosk.cards.piv.metadata import PinMetadata, read_pin_metadata
from kiosk.cards.piv.traits import Traits, read_traits, traits_of_yubikey
from kiosk.cards.values import (
    CardIdentity,
    IdentityKind,
    PinFormat,
    RecognisedCard,
    Tries,
)
from kiosk.pin.alphabet import Alphabet

DIGITS = PinFormat(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
"""SP 800-73-5 part 2 §2.4.3."""
ANY_CHARACTERS = PinFormat(minimum=6, maximum=8, alphabet=Alphabet.PRINTABLE)
"""YubiKeys take any character; what a site allows is its template's."""


def recognised(
    application: PivApplication,
    identity: CardIdentity,
    reader: str,
    known: Traits | None,
) -> tuple[RecognisedCard, Traits]:
    """Describe a card whose identity was just read; `known`: from an earlier time.

    ContactNeeded.
    """
    if identity.kind is IdentityKind.SERIAL:
        pin = application.pin_metadata(PIN)
        if pin is not None:
            return _of_metadata(application, identity, reader, pin, known)
    traits = known or read_traits(application, identity)
    application.pin_reference = traits.pin_reference
    tries = _tries(application)
    if tries is NoCounter.NO_REFERENCE and not traits.pin_is_told:
        traits, tries = _global_pin(application, traits)
    is_yubikey = identity.kind is IdentityKind.SERIAL
    card = RecognisedCard(
        identity=identity,
        reader=reader,
        pin_tries=tries if isinstance(tries, Tries) else Tries(None),
        pin_format=ANY_CHARACTERS if is_yubikey else DIGITS,
        has_puk=not traits.pin_is_global,
        pin_is_global=traits.pin_is_global,
    )
    return card, traits


def _of_metadata(
    application: PivApplication,
    identity: CardIdentity,
    reader: str,
    pin: PinMetadata,
    known: Traits | None,
) -> tuple[RecognisedCard, Traits]:
    """Metadata tell more than an empty VERIFY; firmware before 5.3 has none."""
    has_puk, puk = _puk(application)
    traits = known or traits_of_yubikey(application)
    card = RecognisedCard(
        identity=identity,
        reader=reader,
        pin_tries=pin.tries,
        pin_format=ANY_CHARACTERS,
        puk_tries=puk,
        has_puk=has_puk,
        pin_is_default=pin.is_default,
        touch=traits.touch,
    )
    return card, traits


def _puk(application: PivApplication) -> tuple[bool, Tries | None]:
    """Say whether there is a PUK, and its counter: a Bio key has none."""
    answer = application.ask_metadata(PUK)
    if answer.is_ok and answer.data:
        told = application.optional.read(
            "PUK metadata", lambda: read_pin_metadata(answer.data)
        )
        return True, told.tries if told is not None else None
    return answer.sw not in status.ABSENT, None


def _tries(application: PivApplication) -> Tries | NoCounter:
    """Read the counter, also where somebody left the PIN verified, which hides it."""
    tries = application.counter(application.pin_reference)
    if tries is not NoCounter.VERIFIED:
        return tries
    application.logout()
    return application.counter(application.pin_reference)


def _global_pin(
    application: PivApplication, traits: Traits
) -> tuple[Traits, Tries | NoCounter]:
    """Look for the card's global PIN, where PIV has none and nothing says which."""
    tries = application.counter(GLOBAL_PIN)
    if tries is NoCounter.NO_REFERENCE:
        return traits, tries
    application.pin_reference = GLOBAL_PIN
    return replace(traits, pin_reference=GLOBAL_PIN), tries
