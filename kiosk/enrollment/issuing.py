"""What issuing is for every kind of card: on record first, then changed, then proven.

The office puts credential and secrets on record before the card is changed. A
personalisation that does not end well leaves a retired credential whose escrow opens
the card again, so the command can simply be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from kiosk.authority.office.card_values import (
    BeginIssue,
    CardOpening,
    FinishIssue,
    JudgedOrder,
    Predecessor,
    ProvenKey,
)
from kiosk.authority.office.ports import OFFICE_ERRORS, Office
from kiosk.cards.errors import WrongCard
from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.values import CardIdentity, KeySlot
from kiosk.certificates import card_keys
from kiosk.certificates.ports import CertificateSource
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.certification import Certification
from storage.records import Credential, FirstPin, Template

log = logging.getLogger(__name__)
_DAY = 86_400
_INTERRUPTED = "interrupted"
"""Why a card was not finished that nothing refused."""
STEPS = ("take", "keys", "certificate", "record")
"""What happens to every card, in this order; each is told as it begins, by
`enrollment.step.<name>`, and a certificate once for each key.
"""


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
    token_pin: Secret | None = None
    """The PIN that a token behind middleware has now, typed by the officer."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential, and the transport PIN to hand over (None: the escrow has it).

    Where the template lets holders unblock, their PUK, too. Shown once by whoever
    called, and wiped.
    """

    credential: Credential
    transport_pin: Secret | None
    puk: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueJob:
    """An order that the office has judged: for whom, as what, by whose certificates."""

    bench: Bench
    order: JudgedOrder
    issuer: CertificateSource
    emit: Callable[[Message], None]
    """Is told each step as it begins."""

    @property
    def template(self) -> Template:
        return self.order.template


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One card that is being personalised."""

    wanted: IssueJob
    certification: Certification
    predecessor: Predecessor | None

    @property
    def bench(self) -> Bench:
        return self.wanted.bench

    @property
    def office(self) -> Office:
        return self.wanted.bench.office

    @property
    def expires(self) -> float:
        """When the card is expected to expire, in seconds UTC."""
        days = self.wanted.issuer.days
        return self.bench.clock.now() + days * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningSecrets:
    """What alone opens a card that has been personalised. The job wipes it."""

    pin: Secret
    puk: Secret | None = None
    admin_key: Secret | None = None
    has_shown_admin_key: bool = False


# --- before the card is changed ----------------------------------------------


def begin(job: Job, opening: CardOpening) -> Credential:
    """Put the credential on record, with what opens its card now and will then."""
    order, before = job.wanted.order, job.predecessor
    return job.office.begin_issue(
        BeginIssue(
            credential=order.credential,
            holder=order.holder.guid,
            template=order.template.name,
            template_version=order.template.version,
            card=job.certification.card,
            predecessor=before.id if before is not None else "",
            expires_at=job.expires,
            opening=opening,
        )
    )


# --- the card is changed -----------------------------------------------------


def carry_out(
    job: Job,
    credential: Credential,
    personalise: Callable[[Certify], CardIdentity],
    opened: OpeningSecrets,
) -> Credential:
    """Personalise, and put keys and secrets on record; else retire the credential."""
    proven: dict[KeySlot, ProvenKey] = {}
    job.wanted.emit(Message("enrollment.step.keys"))
    try:
        identity = personalise(partial(_certify, job, credential, proven))
        job.wanted.emit(Message("enrollment.step.record"))
        if identity.key != credential.card:
            raise WrongCard
        saved = job.office.finish_issue(_finished(credential, proven, opened))
    except BaseException as error:  # Ctrl+C, too, and an output that is closed
        why = error.code if isinstance(error, OFFICE_ERRORS) else _INTERRUPTED
        _abandon(job.office, credential, why)
        raise
    job.certification.done()
    return saved


def _certify(
    job: Job,
    credential: Credential,
    proven: dict[KeySlot, ProvenKey],
    keys: Sequence[NewKey],
) -> list[bytes]:
    """Have every key certified, then let it sign a fresh nonce: its proof."""
    certificates = job.certification.certify(keys)
    for key, certificate in zip(keys, certificates, strict=True):
        public = card_keys.public_key(key.spki, key.slot, certificate)
        asked = job.office.key_challenge(credential.id)
        proven[key.slot] = ProvenKey(
            key=public, nonce=asked.nonce, signature=key.sign(asked.message)
        )
    return certificates


def _finished(
    credential: Credential, proven: dict[KeySlot, ProvenKey], opened: OpeningSecrets
) -> FinishIssue:
    own = proven[KeySlot.AUTHENTICATION]
    return FinishIssue(
        credential=credential.id,
        own=own,
        card_key=proven.get(KeySlot.CARD_AUTHENTICATION),
        expires_at=certification.valid_until(own.key.certificate),
        pin=opened.pin,
        puk=opened.puk,
        admin_key=opened.admin_key,
        has_shown_admin_key=opened.has_shown_admin_key,
    )


def handed_over(job: Job, pin: Secret) -> Secret | None:
    """Return the transport PIN for whoever hands it over; None: nobody."""
    by_hand = job.wanted.template.first_pin is FirstPin.TRANSPORT_PIN
    return pin.copy() if by_hand else None


def _abandon(office: Office, credential: Credential, why: str) -> None:
    """Retire what was not finished; its escrow still opens the card."""
    try:
        office.abandon(credential.id, why)
    except OFFICE_ERRORS as error:
        log.error("enrollment.not_retired id=%s code=%s", credential.id, error.code)
