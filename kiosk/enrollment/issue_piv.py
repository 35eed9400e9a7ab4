"""Issue a blank or retired PIV card."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from kiosk.authority.office.card_values import CardOpening
from kiosk.cards.new_keys import Certify
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.attestation import attest
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.personalise import CardSecrets, Plan, personalise
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.entropy import Entropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification, first_puk, secrets
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.issuing import (
    Issued,
    IssueJob,
    Job,
    OpeningSecrets,
    begin,
    carry_out,
    handed_over,
)
from kiosk.enrollment.possession import held, take
from kiosk.enrollment.predecessor import (
    candidates_of,
    card_key,
    identity,
    last_retired,
    name_begun,
)
from kiosk.pin.drawn import new_digits_puk, new_pin, new_puk
from storage.records import UnblockMethod


def issue(wanted: IssueJob, piv: PivCard) -> Issued:
    """Personalise the card. As `issue.issue_card`."""
    bench = wanted.bench
    with piv.application() as application:
        known = identity(application)
        wanted.emit(Message("enrollment.step.take"))
        predecessor = last_retired(bench.office, known)
        found = certification.waited(
            bench.clock,
            wanted.issuer,
            known.key if known is not None else "",
            wanted.order.holder,
            KeyAlgorithm(wanted.template.key_algorithm),
        )
        with candidates_of(bench.office, predecessor) as candidates:
            before = take(application, candidates, bench.entropy)
        digits = predecessor is not None and predecessor.forms_refused > 0
        new = _new_secrets(bench.entropy, before, digits=digits)
        with held(before), held(new) as after, ExitStack() as wiped:
            sign = partial(_signed, application, before.pin)
            found = certification.still_held(found, sign)
            guid = (
                found.guid or name_begun(known, predecessor) or bench.entropy.bytes(16)
            )
            job = Job(
                wanted=wanted,
                certification=Certification(
                    clock=bench.clock,
                    source=wanted.issuer,
                    person=certification.person_of(wanted.order.holder),
                    card=card_key(known, guid),
                    guid=guid,
                    found=found,
                    predecessor=predecessor,
                    emit=wanted.emit,
                    attest=partial(attest, application),
                ),
                predecessor=predecessor,
            )
            own_key = wiped.enter_context(secrets.join([after.management.key]))
            with _opening(before, after) as opening:
                credential = begin(job, opening)
            saved = carry_out(
                job,
                credential,
                partial(_personalise, job, application, credential.id, before, after),
                OpeningSecrets(pin=after.pin, puk=after.puk, admin_key=own_key),
            )
            is_holders = UnblockMethod.HOLDER_PUK in wanted.template.unblock
            return Issued(
                saved,
                handed_over(job, after.pin),
                after.puk.copy() if is_holders else None,
            )


def _new_secrets(entropy: Entropy, before: CardSecrets, *, digits: bool) -> CardSecrets:
    """Return new ones; `digits`: the card has refused a PUK of letters before."""
    algorithm = before.management.algorithm
    return CardSecrets(
        pin=new_pin(entropy),
        puk=new_digits_puk(entropy) if digits else new_puk(entropy),
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


@contextmanager
def _opening(before: CardSecrets, after: CardSecrets) -> Iterator[CardOpening]:
    """Yield what opens the card before and after: old and new, whatever happens."""
    with secrets.join([after.management.key, before.management.key]) as keys:
        yield CardOpening(puk_before=before.puk, puk_after=after.puk, admin_key=keys)


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
        set_puk=lambda: first_puk.set_puk(job.bench, application, id, before, after),
        certify=certify,
        entropy=job.bench.entropy,
    )
    return made.identity


def _plan(job: Job) -> Plan:
    return Plan(
        guid=job.certification.guid,
        card_id=job.bench.entropy.bytes(14),
        expires=datetime.datetime.fromtimestamp(job.expires, datetime.UTC).date(),
        authentication=KeyAlgorithm(job.wanted.template.key_algorithm),
        kept=job.certification.found.keys,
    )
