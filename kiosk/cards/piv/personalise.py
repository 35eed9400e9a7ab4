"""A blank PIV card becomes somebody's: keys, objects, certificates, then secrets.

The order lets a crash anywhere be repaired by starting over: everything before the
secrets is idempotent under the management key. Of the secrets the PUK comes first
(a crash then leaves a known PIN and an escrowed PUK), the management key last. The
caller has put the new PUK and management key in escrow before this begins.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.piv import objects
from kiosk.cards.piv.administration import PivAdministration
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.identity import identify
from kiosk.cards.piv.management import HeldManagementKey
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret


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
    kept: Mapping[KeySlot, bytes] = field(default_factory=dict)
    """Keys (DER SubjectPublicKeyInfo) that the card has and shall not make anew."""


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
    set_puk: Callable[[], None],
    certify: Certify,
    entropy: Entropy,
) -> Personalised:
    """Personalise the card in the reader, from what it has to what it shall have.

    Its name comes first, so that it is found again, then what a card may refuse: PUK
    (by `set_puk`) and PIN. The management key comes last: until then the card is opened
    by what it had. WrongManagementKey, WrongPin, PinRefused, NotSupported, and what
    `set_puk` and `certify` raise.
    """
    administration = PivAdministration(application, before.management, entropy)
    _put_objects(administration, plan)
    set_puk()
    application.change_pin(before.pin, after.pin)
    keys = [_make(application, administration, plan, after.pin)]
    if plan.card_authentication is not None:
        keys.append(
            _make_proving(application, administration, plan, plan.card_authentication)
        )
    certified = [
        _put_certificate(administration, key, certificate)
        for key, certificate in zip(keys, certify(keys), strict=True)
    ]
    identity = identify(application)
    administration.set_management_key(after.management)
    application.logout()
    return Personalised(
        identity=identity,
        authentication=certified[0],
        card_authentication=certified[1] if len(certified) > 1 else None,
    )


def _put_objects(administration: PivAdministration, plan: Plan) -> None:
    chuid = objects.write_chuid(plan.guid, f"{plan.expires:%Y%m%d}")
    administration.put(objects.CHUID, chuid)
    administration.put(objects.CCC, objects.write_ccc(plan.card_id))


def _make(
    application: PivApplication,
    administration: PivAdministration,
    plan: Plan,
    pin: Secret,
) -> NewKey:
    slot, algorithm = KeySlot.AUTHENTICATION, plan.authentication

    def sign(message: bytes) -> bytes:
        # Directly before the signature, which suits every PIN policy of the key.
        application.verify(pin)
        return application.sign(slot, algorithm, message)

    spki = plan.kept.get(slot) or administration.generate(slot, algorithm)
    return NewKey(slot=slot, algorithm=algorithm, spki=spki, sign=sign)


def _make_proving(
    application: PivApplication,
    administration: PivAdministration,
    plan: Plan,
    algorithm: KeyAlgorithm,
) -> NewKey:
    slot = KeySlot.CARD_AUTHENTICATION
    return NewKey(
        slot=slot,
        algorithm=algorithm,
        spki=plan.kept.get(slot) or administration.generate(slot, algorithm),
        sign=lambda message: application.sign(slot, algorithm, message),
    )


def _put_certificate(
    administration: PivAdministration, key: NewKey, certificate: bytes
) -> CertifiedKey:
    container = objects.CERTIFICATES[key.slot]
    administration.put(container, objects.write_certificate(certificate))
    return CertifiedKey(
        slot=key.slot,
        algorithm=key.algorithm,
        spki=key.spki,
        certificate=certificate,
    )
