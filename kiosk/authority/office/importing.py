"""Import: a card that was issued elsewhere becomes a credential here.

It starts as `issued`; its holder activates it with the PIN it has now. A key goes on
record only if the card proves that it holds it and a trusted certificate names the
same account. Without that proof the credential is keyless, and a second officer may
put the key of its certificate on record (`second_officer`).
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.errors import ProofFailed
from kiosk.authority.escrow import puks
from kiosk.authority.office import key_records, naming, people
from kiosk.authority.office.card_values import (
    CardImport,
    ImportedCard,
    ImportWay,
    JudgedOrder,
    ProvenKey,
    SeenPuk,
)
from kiosk.authority.office.certificates import CertificateJudge
from kiosk.authority.office.desk import Desk, drafted, holder_of, note, refuse
from kiosk.authority.office.errors import AlreadyOnRecord
from kiosk.authority.office.key_records import PossessionProof
from kiosk.authority.office.operators import Action, require
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.errors import Message
from kiosk.directory.asking import ask
from kiosk.directory.values import Account
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

PROPOSED = "credential.key_proposed"
"""The audit event that a second officer answers."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How it is told whose a certificate is."""

    judge: CertificateJudge
    named_by: NamedBy


# --- what may be imported ----------------------------------------------------


def judge(desk: Desk, wanted: CardImport) -> JudgedOrder:
    """Say for whom and as what a card may be imported, whichever card it is.

    NotInRole, Refused, DirectoryError.
    """
    holder, template = _judged(desk, wanted)
    return JudgedOrder(
        credential=desk.parts.entropy.bytes(8).hex(),
        holder=people.holder(holder),
        template=template,
    )


def _judged(desk: Desk, wanted: CardImport) -> tuple[Account, Template]:
    """Look account and template up, and refuse the officer's own card."""
    holder = holder_of(desk, Action.IMPORT, wanted.account)
    template = desk.parts.registry.read(lambda view: view.template(wanted.template))
    if template.first_pin is not FirstPin.TRANSPORT_PIN:
        reason = Message("enrollment.import_needs_own_pin")
        refuse(desk, "lifecycle.issue_refused", "", reason)
    return holder, template


def must_be_free(desk: Desk, card: str) -> None:
    """Let pass a card that is no credential yet. NotInRole, AlreadyOnRecord."""
    require(desk.operator, Action.IMPORT)
    known = desk.parts.registry.read(lambda view: view.credential_by_card(card))
    if known is not None:
        raise AlreadyOnRecord(credential=known.id)


def believe(desk: Desk, trust: Trust, certificate: bytes, holder: str) -> None:
    """Let pass a certificate (DER) that names the holder, by a trusted issuer.

    `holder`: objectGUID. NotInRole, NamesAnother, DirectoryError, and what the judge
    of certificates raises.
    """
    require(desk.operator, Action.IMPORT)
    trust.judge.must_be_trusted(certificate, desk.parts.clock.now())
    account = ask(desk.parts.directory, lambda dc: dc.account(holder))
    naming.must_name(desk, trust.judge, certificate, account, trust.named_by)


def trust_card_key(desk: Desk, trust: Trust, certificate: bytes) -> None:
    """Let pass the certificate of a card's own key, whoever it names. As `believe`."""
    require(desk.operator, Action.IMPORT)
    trust.judge.must_be_trusted(certificate, desk.parts.clock.now())


# --- it goes on record -------------------------------------------------------


def import_card(desk: Desk, trust: Trust, seen: ImportedCard) -> Credential:
    """Judge all of it again, consume the nonces, save, and audit every key.

    As `judge`, `must_be_free`, `believe`; ProofFailed.
    """
    holder, template = _judged(desk, seen.order)
    must_be_free(desk, seen.card)
    believed = _believed(desk, trust, seen, holder)
    own = _signed(desk, seen, seen.own)
    if own is not None and own.key != believed:
        raise ProofFailed
    card_key = _signed(desk, seen, seen.card_key)
    if card_key is not None:
        if not trust.judge.is_of(card_key.key):
            raise ProofFailed
        trust_card_key(desk, trust, card_key.key.certificate)
    if trust.named_by is NamedBy.OFFICER:
        own = None  # it is the card's key; whose it is, a second officer says
    credential = Credential(
        id=seen.credential,
        card=seen.card,
        holder=holder.display_name or holder.sam_account_name,
        account=holder.name,
        account_guid=holder.guid,
        template=template.name,
        template_version=template.version,
        state=State.ISSUED,
        authentication_key=own.key if own else None,
        card_authentication_key=card_key.key if card_key else None,
        escrow=_escrow(seen.order, template, seen.puk),
        migrated=own is None,
        issued_at=desk.parts.clock.now(),
    )
    proposed = believed if own is None else None
    proven = [each for each in (own, card_key) if each is not None]
    return desk.parts.registry.run(
        lambda tx: _commit(tx, desk, credential, proven, proposed)
    )


def _believed(
    desk: Desk, trust: Trust, seen: ImportedCard, holder: Account
) -> PublicKey | None:
    """Return the key a trusted certificate says is the holder's; None: keyless."""
    if seen.order.way is ImportWay.KEYLESS or seen.key is None:
        return None
    if not trust.judge.is_of(seen.key):
        raise ProofFailed
    certificate = seen.key.certificate
    trust.judge.must_be_trusted(certificate, desk.parts.clock.now())
    naming.must_name(desk, trust.judge, certificate, holder, trust.named_by)
    return seen.key


def _signed(
    desk: Desk, seen: ImportedCard, proven: ProvenKey | None
) -> ProvenKey | None:
    """Let pass a proof whose signature is right. ProofFailed, noted."""
    if proven is not None and not key_records.has_signed(desk, seen.credential, proven):
        note(desk, "credential.proof_failed", credential=seen.credential)
        raise ProofFailed
    return proven


def _escrow(wanted: CardImport, template: Template, told: SeenPuk | None) -> Escrow:
    """Return what is known of the PUK: the card's own word goes before all others."""
    said = wanted.puk or template.imported_puk
    if told is not None and told.is_default is not None:
        is_factory = said is ImportedPuk.FACTORY
        if told.is_default:
            said = ImportedPuk.FACTORY
        elif is_factory:
            said = ImportedPuk.UNKNOWN
    return puks.said(said, told.left if told is not None else None)


def _commit(
    tx: Tx,
    desk: Desk,
    credential: Credential,
    proven: list[ProvenKey],
    proposed: PublicKey | None,
) -> Credential:
    for each in proven:
        key_records.consume(tx, desk, credential.id, each)
    saved = key_records.issue(tx, desk, credential, standing=None, by="import")
    for each in proven:
        key_records.key_recorded(
            tx, desk, saved.id, each.key, PossessionProof.SIGNATURE
        )
    if proposed is not None:
        evidence = key_records.key_evidence(proposed)
        drafted(desk, PROPOSED, saved.id, "", evidence)(tx)
    return saved
