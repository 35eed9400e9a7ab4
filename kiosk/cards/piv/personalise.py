"""A blank PIV card becomes somebody's: keys, objects, certificates, then secrets.

The order lets a crash anywhere be repaired by starting over: everything before the
secrets is idempotent under the management key. Of the secrets the PUK comes first
(a crash then leaves a known PIN and an escrowed PUK), the management key last. The
caller has put the new PUK and management key in escrow before this begins.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.cards.piv import objects
from kiosk.cards.piv.administration import Administration
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.identity import identify
from kiosk.cards.piv.management import HeldManagementKey
from kiosk.cards.ports import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.entropy import Entropy
from kiosk.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSecrets:
    """What opens a card, before or after. Their owner wipes them."""

    pin: Secret
    puk: Secret
    management: HeldManagementKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the card shall have."""

    guid: bytes
    """16 random bytes, new for every personalisation: Windows caches by it."""
    card_id: bytes
    """14 random bytes of the CCC."""
    expires: datetime.date
    authentication: KeyAlgorithm = KeyAlgorithm.P256
    card_authentication: KeyAlgorithm | None = KeyAlgorithm.P256
    """None: no 9E key, so the card cannot prove itself without a PIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key the card has just made, for whoever certifies it."""

    slot: KeySlot
    algorithm: KeyAlgorithm
    spki: bytes
    """DER SubjectPublicKeyInfo."""
    sign: Callable[[bytes], bytes]
    """Lets the card sign a message: for a certificate request, or a proof."""


Certify = Callable[[NewKey], bytes]
"""Returns the DER certificate for a new key. It is called inside the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedKey:
    """A key on the card, with its certificate (both DER)."""

    slot: KeySlot
    algorithm: KeyAlgorithm
    spki: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Personalised:
    """What goes on record."""

    identity: CardIdentity
    authentication: CertifiedKey
    card_authentication: CertifiedKey | None


def personalise(
    application: PivApplication,
    plan: Plan,
    *,
    before: CardSecrets,
    after: CardSecrets,
    certify: Certify,
    entropy: Entropy,
) -> Personalised:
    """Personalise the card in the reader, from what it has to what it shall have.

    WrongManagementKey, WrongPin, WrongPuk, NotSupported, and what `certify` raises.
    """
    administration = Administration(application, before.management, entropy)
    own = _make(application, administration, plan.authentication, before)
    proving = _make_proving(application, administration, plan.card_authentication)
    _put_objects(administration, plan)
    authentication = _certified(administration, own, certify)
    card_authentication = None
    if proving is not None:
        card_authentication = _certified(administration, proving, certify)
    identity = identify(application)
    application.change_puk(before.puk, after.puk)
    application.change_pin(before.pin, after.pin)
    administration.set_management_key(after.management)
    application.logout()
    return Personalised(
        identity=identity,
        authentication=authentication,
        card_authentication=card_authentication,
    )


def _put_objects(administration: Administration, plan: Plan) -> None:
    chuid = objects.write_chuid(plan.guid, f"{plan.expires:%Y%m%d}")
    administration.put(objects.CHUID, chuid)
    administration.put(objects.CCC, objects.write_ccc(plan.card_id))


def _make(
    application: PivApplication,
    administration: Administration,
    algorithm: KeyAlgorithm,
    before: CardSecrets,
) -> NewKey:
    slot = KeySlot.AUTHENTICATION

    def sign(message: bytes) -> bytes:
        # Directly before the signature, which suits every PIN policy of the key.
        application.verify(before.pin)
        return application.sign(slot, algorithm, message)

    spki = administration.generate(slot, algorithm)
    return NewKey(slot=slot, algorithm=algorithm, spki=spki, sign=sign)


def _make_proving(
    application: PivApplication,
    administration: Administration,
    algorithm: KeyAlgorithm | None,
) -> NewKey | None:
    if algorithm is None:
        return None
    slot = KeySlot.CARD_AUTHENTICATION
    return NewKey(
        slot=slot,
        algorithm=algorithm,
        spki=administration.generate(slot, algorithm),
        sign=lambda message: application.sign(slot, algorithm, message),
    )


def _certified(
    administration: Administration, key: NewKey, certify: Certify
) -> CertifiedKey:
    certificate = certify(key)
    container = objects.CERTIFICATES[key.slot]
    administration.put(container, objects.write_certificate(certificate))
    return CertifiedKey(
        slot=key.slot,
        algorithm=key.algorithm,
        spki=key.spki,
        certificate=certificate,
    )
