"""Import: a card that was issued elsewhere becomes a credential here.

It starts as `issued`; its holder activates it with the PIN it has now. A key goes on
record only if the card proves that it holds it and a trusted certificate names the
same account. Without that proof the credential is keyless, and a second officer may
put the key of its certificate on record (`second_officer`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from msgspec.structs import replace

from kiosk.authority.escrow import puks
from kiosk.authority.office.desk import (
    Desk,
    drafted,
    holder_of,
    identified,
    note,
    refuse,
)
from kiosk.authority.office.operators import Action
from kiosk.authority.ports import ProofFailed, Refused
from kiosk.authority.proof import signature
from kiosk.cards.ports import (
    UNUSABLE,
    Card,
    CardSession,
    KeyAlgorithm,
    KeySlot,
    PukTold,
)
from kiosk.certificates import card_certificates
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.ports import Account
from kiosk.enrollment import naming, record
from kiosk.enrollment.record import PossessionProof
from statemachine.lifecycle import State
from storage.records import (
    Credential,
    Escrow,
    FirstPin,
    ImportedPuk,
    PublicKey,
    Template,
)
from storage.registry import Tx

log = logging.getLogger(__name__)

PROPOSED = "credential.key_proposed"
"""The audit event that a second officer answers."""


class AlreadyOnRecord(KioskError):
    """The card is a credential already: `credential`."""

    code = "enrollment.already_on_record"


class ImportWay(StrEnum):
    """How it is settled which key signs for the holder."""

    SIGNATURE = "signature"
    """The holder types the PIN, the card signs a nonce."""
    PROPOSED = "proposed"
    """Its certificate is believed; keyless until a second officer confirms it."""
    KEYLESS = "keyless"
    """No key at all: what the template's keyless exception says applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardImport:
    """What an officer wants to import, and whom the site trusts."""

    account: str
    """userPrincipalName or account name of the holder."""
    template: str
    way: ImportWay = ImportWay.SIGNATURE
    anchors: Sequence[x509.Certificate] = ()
    """Issuers whose certificates are believed."""
    named_by: NamedBy = NamedBy.UPN
    """How the site tells whose a certificate is."""
    puk: ImportedPuk | None = None
    """What the officer says of its PUK; None: what the template says."""


@dataclass(frozen=True, slots=True)
class _Proven:
    """A key with the nonce the card has signed for it."""

    key: PublicKey
    nonce: bytes


def import_card(
    desk: Desk, card: Card, wanted: CardImport, pin: Secret | None
) -> Credential:
    """Import the card in the reader; `pin` is its holder's, for Way.SIGNATURE.

    CardError (a wrong PIN costs one try, and the last one is never spent),
    CertificateError, Refused, ProofFailed, AlreadyOnRecord, DirectoryError.
    """
    holder, template = _judged(desk, wanted)
    recognised = card.recognise()
    if pin is not None and recognised.pin_tries.left in (0, 1):
        left = "pin_blocked" if recognised.pin_tries.is_blocked else "one_try_left"
        raise Refused(Message(f"refusal.{left}"))
    _free(desk, recognised.identity.key)
    credential = replace(_blank(desk, holder, template), card=recognised.identity.key)
    with card.session(recognised.identity) as session:
        believed = _believed(desk, session, wanted, holder)
        own = None
        if believed is not None and pin is not None:
            session.verify(pin)
            own = _signed(desk, session, credential.id, believed)
            if wanted.named_by is NamedBy.OFFICER:
                own = None  # it is the card's key; whose it is, a second officer says
        proving = _card_key(desk, session, credential.id, wanted.anchors)
        told = session.puk_tries()
    credential = replace(credential, escrow=_escrow(wanted, template, told))
    proposed = believed if own is None else None
    return desk.parts.registry.run(
        lambda tx: _commit(tx, desk, credential, own, proving, proposed)
    )


def import_certificate(
    desk: Desk, card: str, certificate: x509.Certificate, wanted: CardImport
) -> Credential:
    """Import a card that is elsewhere, by its identity key and certificate: keyless.

    Its key is only proposed: a second officer confirms it.
    """
    holder, template = _judged(desk, wanted)
    now = desk.parts.clock.now()
    card_certificates.must_be_trusted(certificate, wanted.anchors, now=now)
    naming.must_name(desk, certificate, holder, wanted.named_by)
    _free(desk, card)
    key = record.key_of(certificate, KeySlot.AUTHENTICATION)
    credential = replace(
        _blank(desk, holder, template),
        card=card,
        escrow=_escrow(wanted, template, None),
    )
    return desk.parts.registry.run(
        lambda tx: _commit(tx, desk, credential, None, None, key)
    )


# --- what may be imported ----------------------------------------------------


def _judged(desk: Desk, wanted: CardImport) -> tuple[Account, Template]:
    """Look account and template up, and refuse the officer's own card."""
    holder = holder_of(desk, Action.IMPORT, wanted.account)
    desk = identified(desk)
    template = desk.parts.registry.run(lambda tx: tx.template(wanted.template))
    if template.first_pin is not FirstPin.TRANSPORT_PIN:
        reason = Message("enrollment.import_needs_own_pin")
        refuse(desk, "lifecycle.issue_refused", "", reason)
    return holder, template


def _free(desk: Desk, card: str) -> None:
    known = desk.parts.registry.run(lambda tx: tx.credential_by_card(card))
    if known is not None:
        raise AlreadyOnRecord(credential=known.id)


def _blank(desk: Desk, holder: Account, template: Template) -> Credential:
    return Credential(
        id=desk.parts.entropy.bytes(8).hex(),
        card="",
        holder=holder.display_name or holder.sam_account_name,
        account=holder.user_principal_name,
        account_guid=holder.guid,
        template=template.name,
        template_version=template.version,
        state=State.ISSUED,
        issued_at=desk.parts.clock.now(),
    )


def _escrow(wanted: CardImport, template: Template, told: PukTold | None) -> Escrow:
    """Return what is known of the PUK: the card's own word goes before all others."""
    said = wanted.puk or template.imported_puk
    if told is not None and told.is_default is not None:
        is_factory = said is ImportedPuk.FACTORY
        if told.is_default:
            said = ImportedPuk.FACTORY
        elif is_factory:
            said = ImportedPuk.UNKNOWN
    left = told.tries.left if told is not None else None
    return puks.said(said, left)


# --- proofs ------------------------------------------------------------------


def _believed(
    desk: Desk, session: CardSession, wanted: CardImport, holder: Account
) -> PublicKey | None:
    """Return the key a trusted certificate says is the holder's; None: keyless.

    ObjectMissing, CertificateError.
    """
    if wanted.way is ImportWay.KEYLESS:
        return None
    certificate = card_certificates.read(session.certificate(KeySlot.AUTHENTICATION))
    now = desk.parts.clock.now()
    card_certificates.must_be_trusted(certificate, wanted.anchors, now=now)
    naming.must_name(desk, certificate, holder, wanted.named_by)
    return record.key_of(certificate, KeySlot.AUTHENTICATION)


def _card_key(
    desk: Desk,
    session: CardSession,
    credential: str,
    anchors: Sequence[x509.Certificate],
) -> _Proven | None:
    """Let the card prove itself without a PIN, if it can and its issuer is trusted.

    It need not have such a key: whatever is in its place and cannot be used counts as
    none. A signature that is wrong is no such thing. ProofFailed.
    """
    slot = KeySlot.CARD_AUTHENTICATION
    try:
        certificate = card_certificates.read(session.certificate(slot))
        now = desk.parts.clock.now()
        if not card_certificates.is_trusted(certificate, anchors, now=now):
            return None
        key = record.key_of(certificate, slot)
        return _signed(desk, session, credential, key)
    except (card_certificates.CertificateError, *UNUSABLE) as error:
        log.info("enrollment.card_key_passed_over code=%s", error.code)
        return None


def _signed(
    desk: Desk, session: CardSession, credential: str, key: PublicKey
) -> _Proven:
    """Have a fresh nonce signed. ProofFailed."""
    nonce, message = record.challenge(desk, credential)
    signed = session.sign(KeySlot(key.slot), KeyAlgorithm(key.algorithm), message)
    if not signature.is_valid(key, message, signed):
        note(desk, "credential.proof_failed", credential=credential)
        raise ProofFailed
    return _Proven(key, nonce)


def _commit(
    tx: Tx,
    desk: Desk,
    credential: Credential,
    own: _Proven | None,
    proving: _Proven | None,
    proposed: PublicKey | None,
) -> Credential:
    """Consume the nonces, save, and audit every key, in one commit. ProofFailed."""
    proven = [each for each in (own, proving) if each is not None]
    for each in proven:
        if not record.is_fresh(tx, desk, each.nonce, credential.id):
            raise ProofFailed
    credential = replace(
        credential,
        authentication_key=own.key if own else None,
        card_authentication_key=proving.key if proving else None,
        migrated=own is None,
    )
    saved = record.issue(tx, desk, credential, standing=None, by="import")
    for each in proven:
        record.key_recorded(tx, desk, saved.id, each.key, PossessionProof.SIGNATURE)
    if proposed is not None:
        drafted(desk, PROPOSED, saved.id, "", record.key_evidence(proposed))(tx)
    return saved
