"""A personalised simulated GIDS card in one call, and what goes on record of it."""

from __future__ import annotations

from kiosk.cards.gids import objects
from kiosk.cards.gids.administration import GENERATED
from kiosk.cards.gids.application import FIRST_KEY
from kiosk.cards.gids.objects import FileEntry
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards.factory import KeyMade, Made, key_of, shared_rsa
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.options import GidsOptions

_BITS = {KeyAlgorithm.RSA_2048: 2048, KeyAlgorithm.RSA_3072: 3072}


def make_gids_card(
    entropy: Entropy,
    *,
    subject: str,
    pin: bytes,
    admin_key: bytes,
    puk: bytes = b"",
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
    options: GidsOptions | None = None,
) -> Made[SimulatedGidsCard]:
    """Make an operational card with one container, its key and certificate.

    `admin_key` is 24 bytes. RSA keys are made once per process and shared.
    """
    wanted = options or GidsOptions(puk_tries=3 if puk else 0)
    card = SimulatedGidsCard(
        entropy=entropy, options=wanted, pin=pin, puk=puk, admin_key=admin_key
    )
    key = shared_rsa(_BITS[algorithm], entropy)
    card.keys[FIRST_KEY] = key
    made: KeyMade = key_of(key, algorithm, subject)
    card_id = entropy.bytes(objects.CARD_ID_BYTES)
    certificate_place = objects.FIRST_CERTIFICATE
    entries = (
        FileEntry("mscp", "cmapfile", objects.CMAP_FILE[1], objects.CMAP_FILE[0]),
        FileEntry("mscp", "kxc00", certificate_place[1], certificate_place[0]),
        FileEntry("", "cardid", objects.CARD_ID[1], objects.CARD_ID[0]),
        FileEntry("", "cardcf", objects.CARD_CF[1], objects.CARD_CF[0]),
        FileEntry("", "cardapps", objects.CARD_APPS[1], objects.CARD_APPS[0]),
    )
    container = (str(entropy.bytes(16).hex()), _BITS[algorithm])
    for place, value in {
        objects.MASTERFILE: objects.write_masterfile(entries),
        objects.KEY_MAP: objects.write_key_map([GENERATED[algorithm]]),
        objects.CARD_APPS: b"mscp\0\0\0\0",
        objects.CARD_CF: bytes(6),
        objects.CMAP_FILE: objects.write_cmapfile([container]),
        objects.CARD_ID: card_id,
        certificate_place: objects.write_certificate(made.certificate),
    }.items():
        fid, do = place
        card.files[fid][do] = value
    identity = CardIdentity(Family.GIDS, IdentityKind.CARD_ID, card_id)
    return Made(
        card=card, identity=identity, authentication=made, card_authentication=None
    )
