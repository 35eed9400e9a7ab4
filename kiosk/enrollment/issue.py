"""Issue: a blank or retired PIV card is personalised and handed over.

The credential and the card's new secrets are on record before the card is changed.
A personalisation that does not end well leaves a retired credential whose escrow
opens the card again, so the command can simply be repeated.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from kiosk.authority.escrow.escrowed_secrets import new_digits_puk, new_puk
from kiosk.authority.office.desk import Desk, holder_of
from kiosk.authority.office.operators import Action
from kiosk.authority.operation import transitions
from kiosk.authority.ports import ProofFailed
from kiosk.authority.proof import signature
from kiosk.cards.any_card import piv_of
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.personalise import (
    CardSecrets,
    NewKey,
    Plan,
    personalise,
)
from kiosk.cards.ports import Card, KeyAlgorithm, KeySlot, WrongCard
from kiosk.certificates.ports import CertificateSource
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.ports import Account
from kiosk.enrollment import certification, first_puk, record, secrets
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.possession import held, take
from kiosk.enrollment.predecessor import (
    candidates_of,
    card_key,
    identity,
    last_retired,
)
from kiosk.enrollment.record import PossessionProof
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from storage.records import (
    CardType,
    Credential,
    FirstPin,
    PublicKey,
    Template,
    UnblockWay,
)
from storage.registry import RegistryError, Tx

log = logging.getLogger(__name__)
_DAY = 86_400


class NotForThisCard(KioskError):
    """The template is for another kind of card: `template`, `card_type`."""

    code = "enrollment.not_for_this_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an officer wants to issue."""

    account: str
    template: str
    issuer: CertificateSource
    """Where the certificates of its keys come from."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential, and the transport PIN to hand over (None: the escrow has it).

    Where the template lets holders unblock, their PUK, too. Shown once by whoever
    called, and wiped.
    """

    credential: Credential
    transport_pin: Secret | None
    puk: Secret | None = None


def _nobody(step: Message) -> None:
    """Nobody watches the steps."""


def issue_card(
    desk: Desk,
    card: Card,
    order: Order,
    emit: Callable[[Message], None] = _nobody,
) -> Issued:
    """Personalise the card in the reader; `emit` is told each step as it begins.

    NotInRole, Refused, NotForThisCard, AlreadyOnRecord, NotOurs, PukNotOurs,
    PukNotAccepted, CardError, DirectoryError, SourceError; CertificatePending: repeat
    it with the same card when the certificate has come.
    """
    holder = holder_of(desk, Action.ISSUE, order.account)
    template = desk.parts.registry.run(lambda tx: tx.template(order.template))
    if template.card_type is not CardType.PIV:
        raise NotForThisCard(template=template.name, card_type=template.card_type)
    piv = piv_of(card)
    if piv is None:
        raise NotForThisCard(template=template.name, card_type="other")
    with piv.application() as application:
        known = identity(application)
        emit(Message("enrollment.step.take"))
        predecessor = last_retired(desk, known)
        found = certification.waited(
            desk,
            order.issuer,
            known.key if known is not None else "",
            holder,
            KeyAlgorithm(template.key_algorithm),
        )
        with candidates_of(desk, predecessor) as candidates:
            before = take(application, candidates, desk.parts.entropy)
        digits = predecessor is not None and predecessor.escrow.forms_refused > 0
        with held(before), held(_new_secrets(desk, before, digits=digits)) as after:
            found = certification.still_held(application, before.pin, found)
            guid = found.guid or desk.parts.entropy.bytes(16)
            job = _Job(
                desk=desk,
                holder=holder,
                template=template,
                certification=Certification(
                    desk=desk,
                    source=order.issuer,
                    person=certification.person_of(holder),
                    card=card_key(known, guid),
                    guid=guid,
                    found=found,
                    predecessor=predecessor,
                    emit=emit,
                ),
                before=before,
                after=after,
                emit=emit,
            )
            credential = _begin(job, predecessor)
            return _carry_out(job, application, credential)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Everything that one personalisation needs."""

    desk: Desk
    holder: Account
    template: Template
    certification: Certification
    before: CardSecrets
    after: CardSecrets
    emit: Callable[[Message], None]

    @property
    def expires(self) -> float:
        """When the card is expected to expire, in seconds UTC."""
        days = self.certification.source.days
        return self.desk.parts.clock.now() + days * _DAY


# --- before the card is changed ----------------------------------------------


def _new_secrets(desk: Desk, before: CardSecrets, *, digits: bool) -> CardSecrets:
    """Return new ones; `digits`: the card has refused a PUK of letters before."""
    entropy = desk.parts.entropy
    algorithm = before.management.algorithm
    return CardSecrets(
        pin=secrets.new_pin(entropy),
        puk=new_digits_puk(desk.parts) if digits else new_puk(desk.parts),
        management=secrets.new_management_key(entropy, algorithm),
    )


def _begin(job: _Job, predecessor: Credential | None) -> Credential:
    """Put the credential on record, with what opens its card now and will then.

    One that was never finished is taken up again: trying leaves nothing behind.
    """
    desk, now = job.desk, job.desk.parts.clock.now()
    again = predecessor if predecessor and _is_unfinished(predecessor) else None
    name = again.id if again else desk.parts.entropy.bytes(8).hex()
    seal = partial(secrets.seal, desk.parts, name)
    with secrets.join([job.after.management.key, job.before.management.key]) as keys:
        admin_keys = seal(secrets.ADMIN_KEY, keys)
    credential = Credential(
        id=name,
        card=job.certification.card,
        holder=job.holder.display_name or job.holder.sam_account_name,
        account=job.holder.user_principal_name,
        account_guid=job.holder.guid,
        template=job.template.name,
        template_version=job.template.version,
        state=State.ISSUED,
        escrow=first_puk.about_to_be_set(
            current=seal(secrets.CURRENT_PUK, job.before.puk),
            pending=seal(secrets.PENDING_PUK, job.after.puk),
            forms_refused=predecessor.escrow.forms_refused if predecessor else 0,
        ),
        admin_key_sealed=admin_keys,
        issued_at=now,
        expires_at=job.expires,
    )
    standing = Standing(State.RETIRED) if predecessor is not None else None

    def commit(tx: Tx) -> Credential:
        version = tx.credential(name).version if again else 0
        now = replace(credential, version=version)
        return record.issue(tx, desk, now, standing=standing, by="issue")

    return desk.parts.registry.run(commit)


def _is_unfinished(retired: Credential) -> bool:
    """Say whether a personalisation ended before its keys went on record."""
    has_key = retired.authentication_key is not None
    return not has_key and not retired.migrated and retired.pin_changed_at is None


# --- the card is changed -----------------------------------------------------


def _carry_out(
    job: _Job, application: PivApplication, credential: Credential
) -> Issued:
    """Personalise, and put keys and secrets on record; else retire the credential."""
    proven: list[tuple[PublicKey, bytes]] = []
    job.emit(Message("enrollment.step.keys"))
    try:
        made = personalise(
            application,
            _plan(job),
            before=job.before,
            after=job.after,
            set_puk=lambda: first_puk.set_puk(
                job.desk, application, credential.id, job.before, job.after
            ),
            certify=partial(_certify, job, application, credential, proven),
            entropy=job.desk.parts.entropy,
        )
        job.emit(Message("enrollment.step.record"))
        if made.identity.key != credential.card:
            raise WrongCard
        saved = job.desk.parts.registry.run(
            lambda tx: _commit(tx, job, credential.id, proven)
        )
    except (KioskError, RegistryError) as error:
        _abandon(job.desk, credential, error)
        raise
    job.certification.done()
    typed_by_holder = job.template.first_pin is FirstPin.TRANSPORT_PIN
    is_holders = UnblockWay.HOLDER_PUK in job.template.unblock
    return Issued(
        saved,
        job.after.pin.copy() if typed_by_holder else None,
        job.after.puk.copy() if is_holders else None,
    )


def _plan(job: _Job) -> Plan:
    return Plan(
        guid=job.certification.guid,
        card_id=job.desk.parts.entropy.bytes(14),
        expires=datetime.datetime.fromtimestamp(job.expires, datetime.UTC).date(),
        authentication=KeyAlgorithm(job.template.key_algorithm),
        kept=job.certification.found.keys,
    )


def _certify(
    job: _Job,
    application: PivApplication,
    credential: Credential,
    proven: list[tuple[PublicKey, bytes]],
    keys: Sequence[NewKey],
) -> list[bytes]:
    """Have every key certified, then let it sign a fresh nonce: its proof."""
    certificates = job.certification.certify(application, keys)
    for key, certificate in zip(keys, certificates, strict=True):
        public = record.public_key(key.spki, key.slot, certificate)
        nonce, message = record.challenge(job.desk, credential.id)
        if not signature.is_valid(public, message, key.sign(message)):
            raise ProofFailed
        proven.append((public, nonce))
    return certificates


def _commit(
    tx: Tx, job: _Job, id: str, proven: list[tuple[PublicKey, bytes]]
) -> Credential:
    """Keys on record, the new secrets current, the nonces used: in one commit."""
    desk, after = job.desk, job.after
    keys = {key.slot: key for key, _ in proven}
    own_key = keys[KeySlot.AUTHENTICATION]
    for key, nonce in proven:
        if not record.is_fresh(tx, desk, nonce, id):
            raise ProofFailed
        record.key_recorded(tx, desk, id, key, PossessionProof.GENERATED)
    seal = partial(secrets.seal, desk.parts, id)
    transport = ""
    if job.template.first_pin is FirstPin.ACTIVATION_CODE:
        transport = seal(secrets.TRANSPORT_PIN, after.pin)
    puk = seal(secrets.CURRENT_PUK, after.puk)
    with secrets.join([after.management.key]) as own:
        admin_key = seal(secrets.ADMIN_KEY, own)
    return tx.save_credential(
        replace(
            tx.credential(id),
            authentication_key=own_key,
            card_authentication_key=keys.get(KeySlot.CARD_AUTHENTICATION),
            escrow=first_puk.is_set(tx.credential(id).escrow, puk),
            admin_key_sealed=admin_key,
            transport_pin_sealed=transport,
            expires_at=certification.valid_until(own_key.certificate),
        )
    )


def _abandon(
    desk: Desk, credential: Credential, why: KioskError | RegistryError
) -> None:
    """Retire what was not finished; its escrow still opens the card."""
    try:
        desk.parts.registry.run(
            lambda tx: transitions.happen(
                tx,
                desk.parts,
                tx.credential(credential.id),
                Event.RETIRE,
                facts=Facts(),
                actor=desk.operator.account,
                station=desk.station,
                evidence={"reason": f"not finished: {why.code}"},
            )
        )
    except (KioskError, RegistryError) as error:
        log.error("enrollment.not_retired id=%s code=%s", credential.id, error.code)
