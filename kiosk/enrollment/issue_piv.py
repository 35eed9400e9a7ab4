"""Issue a blank or retired PIV card."""

from __future__ import annotations

import datetime
from functools import partial

from msgspec.structs import replace

from kiosk.authority.escrow.escrowed_secrets import new_digits_puk, new_puk
from kiosk.authority.office.desk import Desk
from kiosk.cards.new_keys import Certify
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.attestation import attest
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.personalise import CardSecrets, Plan, personalise
from kiosk.cards.ports import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification, first_puk, secrets
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.issuing import (
    Issued,
    Job,
    Opening,
    Wanted,
    begin,
    carry_out,
    handed_over,
    transport_pin,
)
from kiosk.enrollment.possession import held, take
from kiosk.enrollment.predecessor import (
    candidates_of,
    card_key,
    identity,
    last_retired,
    name_begun,
)
from storage.records import Credential, UnblockWay
from storage.registry import Tx


def issue(wanted: Wanted, piv: PivCard) -> Issued:
    """Personalise the card. As `issue.issue_card`."""
    desk = wanted.desk
    with piv.application() as application:
        known = identity(application)
        wanted.emit(Message("enrollment.step.take"))
        predecessor = last_retired(desk, known)
        found = certification.waited(
            desk,
            wanted.issuer,
            known.key if known is not None else "",
            wanted.holder,
            KeyAlgorithm(wanted.template.key_algorithm),
        )
        with candidates_of(desk, predecessor) as candidates:
            before = take(application, candidates, desk.parts.entropy)
        digits = predecessor is not None and predecessor.escrow.forms_refused > 0
        with held(before), held(_new_secrets(desk, before, digits=digits)) as after:
            sign = partial(_signed, application, before.pin)
            found = certification.still_held(found, sign)
            guid = (
                found.guid
                or name_begun(known, predecessor)
                or desk.parts.entropy.bytes(16)
            )
            job = Job(
                wanted=wanted,
                certification=Certification(
                    desk=desk,
                    source=wanted.issuer,
                    person=certification.person_of(wanted.holder),
                    card=card_key(known, guid),
                    guid=guid,
                    found=found,
                    predecessor=predecessor,
                    emit=wanted.emit,
                    attest=partial(attest, application),
                ),
                predecessor=predecessor,
            )
            credential = begin(job, partial(_opening, job, before, after))
            saved = carry_out(
                job,
                credential,
                partial(_personalise, job, application, credential.id, before, after),
                partial(_opened, job, after),
            )
            is_holders = UnblockWay.HOLDER_PUK in wanted.template.unblock
            return Issued(
                saved,
                handed_over(job, after.pin),
                after.puk.copy() if is_holders else None,
            )


def _new_secrets(desk: Desk, before: CardSecrets, *, digits: bool) -> CardSecrets:
    """Return new ones; `digits`: the card has refused a PUK of letters before."""
    entropy = desk.parts.entropy
    algorithm = before.management.algorithm
    return CardSecrets(
        pin=secrets.new_pin(entropy),
        puk=new_digits_puk(desk.parts) if digits else new_puk(desk.parts),
        management=secrets.new_management_key(entropy, algorithm),
    )


def _signed(
    application: PivApplication,
    pin: Secret,
    slot: KeySlot,
    algorithm: KeyAlgorithm,
    message: bytes,
) -> bytes:
    """Sign, with the PIN just before where the key wants one."""
    if slot is KeySlot.AUTHENTICATION:
        application.verify(pin)
    return application.sign(slot, algorithm, message)


def _opening(job: Job, before: CardSecrets, after: CardSecrets, id: str) -> Opening:
    """Return what opens the card before and after: old and new, whatever happens."""
    seal = partial(secrets.seal, job.desk.parts, id)
    with secrets.join([after.management.key, before.management.key]) as keys:
        admin_keys = seal(secrets.ADMIN_KEY, keys)
    predecessor = job.predecessor
    return Opening(
        escrow=first_puk.about_to_be_set(
            current=seal(secrets.CURRENT_PUK, before.puk),
            pending=seal(secrets.PENDING_PUK, after.puk),
            forms_refused=predecessor.escrow.forms_refused if predecessor else 0,
        ),
        admin_key=admin_keys,
    )


def _personalise(
    job: Job,
    application: PivApplication,
    id: str,
    before: CardSecrets,
    after: CardSecrets,
    certify: Certify,
) -> CardIdentity:
    made = personalise(
        application,
        _plan(job),
        before=before,
        after=after,
        set_puk=lambda: first_puk.set_puk(job.desk, application, id, before, after),
        certify=certify,
        entropy=job.desk.parts.entropy,
    )
    return made.identity


def _plan(job: Job) -> Plan:
    return Plan(
        guid=job.certification.guid,
        card_id=job.desk.parts.entropy.bytes(14),
        expires=datetime.datetime.fromtimestamp(job.expires, datetime.UTC).date(),
        authentication=KeyAlgorithm(job.wanted.template.key_algorithm),
        kept=job.certification.found.keys,
    )


def _opened(job: Job, after: CardSecrets, tx: Tx, current: Credential) -> Credential:  # noqa: ARG001 - nothing more is read
    """Return the record of a card that only its new secrets open."""
    seal = partial(secrets.seal, job.desk.parts, current.id)
    puk = seal(secrets.CURRENT_PUK, after.puk)
    with secrets.join([after.management.key]) as own:
        admin_key = seal(secrets.ADMIN_KEY, own)
    return replace(
        current,
        escrow=first_puk.is_set(current.escrow, puk),
        admin_key_sealed=admin_key,
        transport_pin_sealed=transport_pin(job, current.id, after.pin),
    )
