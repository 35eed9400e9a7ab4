"""Import: what a card from elsewhere shows of itself, for the office to judge."""

from __future__ import annotations

import logging

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.authority.errors import Refused
from kiosk.authority.office.card_values import (
    CardImport,
    ImportedCard,
    ImportWay,
    JudgedOrder,
    ProvenKey,
    SeenPuk,
)
from kiosk.cards.errors import UNUSABLE
from kiosk.cards.ports import Card, CardSession
from kiosk.cards.values import KeyAlgorithm, KeySlot, RecognisedCard
from kiosk.certificates import card_certificates, card_keys
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.presenting import present
from storage.records import Credential, PublicKey

log = logging.getLogger(__name__)


def import_card(
    bench: Bench, card: Card, wanted: CardImport, pin: Secret | None
) -> Credential:
    """Import the card in the reader; `pin` is its holder's, for ImportWay.SIGNATURE.

    None then: it is typed at the reader's own keys, as always where it has some.
    CardError (a wrong PIN costs one try, and the last one is never spent),
    CertificateError, NamesAnother, Refused, ProofFailed, AlreadyOnRecord,
    DirectoryError.
    """
    order = bench.office.judge_import(wanted)
    recognised = card.recognise()
    signs = pin is not None or _at_pad(wanted, recognised)
    if signs and recognised.pin_tries.left in (0, 1):
        left = "pin_blocked" if recognised.pin_tries.is_blocked else "one_try_left"
        raise Refused(Message(f"refusal.{left}"))
    bench.office.must_be_free(recognised.identity.key)
    with card.session(recognised.identity) as session:
        key = _believed(bench, session, wanted, order)
        own = None
        if key is not None and signs:
            present(session, recognised, pin)
            own = proven_by(bench, session, order.credential, key)
        card_key = _card_key(bench, session, order.credential)
        told = session.puk_tries()
    seen = ImportedCard(
        order=wanted,
        credential=order.credential,
        card=recognised.identity.key,
        key=key,
        own=own,
        card_key=card_key,
        puk=None
        if told is None
        else SeenPuk(is_default=told.is_default, left=told.tries.left),
    )
    return bench.office.import_card(seen)


def _at_pad(wanted: CardImport, recognised: RecognisedCard) -> bool:
    return wanted.way is ImportWay.SIGNATURE and recognised.pinpad


def import_certificate(
    bench: Bench, card: str, certificate: x509.Certificate, wanted: CardImport
) -> Credential:
    """Import a card that is elsewhere, by its identity key and certificate: keyless.

    Its key is only proposed: a second officer confirms it.
    """
    order = bench.office.judge_import(wanted)
    key = card_keys.key_of(certificate, KeySlot.AUTHENTICATION)
    seen = ImportedCard(order=wanted, credential=order.credential, card=card, key=key)
    return bench.office.import_card(seen)


def _believed(
    bench: Bench, session: CardSession, wanted: CardImport, order: JudgedOrder
) -> PublicKey | None:
    """Return the key a trusted certificate says is the holder's; None: keyless.

    ObjectMissing, CertificateError, NamesAnother.
    """
    if wanted.way is ImportWay.KEYLESS:
        return None
    certificate = card_certificates.read(session.certificate(KeySlot.AUTHENTICATION))
    der = certificate.public_bytes(Encoding.DER)
    bench.office.believe(der, order.holder.guid)
    return card_keys.key_of(certificate, KeySlot.AUTHENTICATION)


def _card_key(bench: Bench, session: CardSession, credential: str) -> ProvenKey | None:
    """Let the card prove itself without a PIN, if it can and its issuer is trusted.

    It need not have such a key: whatever is in its place and cannot be used counts as
    none.
    """
    slot = KeySlot.CARD_AUTHENTICATION
    try:
        certificate = card_certificates.read(session.certificate(slot))
        bench.office.trust_card_key(certificate.public_bytes(Encoding.DER))
        key = card_keys.key_of(certificate, slot)
        return proven_by(bench, session, credential, key)
    except (card_certificates.CertificateError, *UNUSABLE) as error:
        log.info("enrollment.card_key_passed_over code=%s", error.code)
        return None


def proven_by(
    bench: Bench, session: CardSession, credential: str, key: PublicKey
) -> ProvenKey:
    """Have a fresh nonce signed; the office judges it. CardError."""
    asked = bench.office.key_challenge(credential)
    slot, algorithm = KeySlot(key.slot), KeyAlgorithm(key.algorithm)
    signed = session.sign(slot, algorithm, asked.message)
    return ProvenKey(key=key, nonce=asked.nonce, signature=signed)
