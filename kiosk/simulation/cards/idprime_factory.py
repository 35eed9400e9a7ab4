"""A personalised simulated IDPrime card in one call, and what goes on record of it."""

from __future__ import annotations

from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards import idprime
from kiosk.simulation.cards.factory import Made, key_of, shared_rsa
from kiosk.simulation.cards.idprime import SimulatedIdPrimeCard

_CERTIFICATE = 0x0301
_BITS = 2048


def make_idprime_card(
    entropy: Entropy, *, subject: str, pin: bytes
) -> Made[SimulatedIdPrimeCard]:
    """Make a card with one container, its RSA-2048 key and certificate.

    Its identity is the one it has behind OpenSC's module. The key is made once per
    process and shared.
    """
    key = shared_rsa(_BITS, entropy)
    made = key_of(key, KeyAlgorithm.RSA_2048, subject)
    card_id = entropy.bytes(16)
    card = SimulatedIdPrimeCard(entropy=entropy, pin=pin, card_id=card_id, key=key)
    file = idprime.compressed(made.certificate)
    card.files |= {
        idprime.CONTAINER_MAP: idprime.container_map(entropy.bytes(16).hex()),
        idprime.INDEX: idprime.index(_CERTIFICATE, len(file)),
        _CERTIFICATE: file,
    }
    value = b"Gemalto/" + idprime.serial_number(card_id)
    identity = CardIdentity(Family.PKCS11, IdentityKind.SERIAL, value)
    return Made(
        card=card, identity=identity, authentication=made, card_authentication=None
    )
