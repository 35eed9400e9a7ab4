"""What issuing is for every kind of card: on record first, then changed, then proven.

The credential and the card's new secrets are on record before the card is changed.
A personalisation that does not end well leaves a retired credential whose escrow
opens the card again, so the command can simply be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from kiosk.authority.office.desk import Desk
from kiosk.authority.operation import transitions
from kiosk.authority.ports import ProofFailed
from kiosk.authority.proof import signature
from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.ports import CardIdentity, KeySlot, WrongCard
from kiosk.certificates.ports import CertificateSource
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.ports import Account
from kiosk.enrollment import certification, record, secrets
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.predecessor import is_unfinished
from kiosk.enrollment.record import PossessionProof
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from storage.records import Credential, Escrow, FirstPin, PublicKey, Template
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
class Wanted:
    """An order that was judged: for whom, as what, by whose certificates."""

    desk: Desk
    holder: Account
    template: Template
    issuer: CertificateSource
    emit: Callable[[Message], None]
    """Is told each step as it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One card that is being personalised."""

    wanted: Wanted
    certification: Certification
    predecessor: Credential | None

    @property
    def desk(self) -> Desk:
        return self.wanted.desk

    @property
    def expires(self) -> float:
        """When the card is expected to expire, in seconds UTC."""
        days = self.wanted.issuer.days
        return self.desk.parts.clock.now() + days * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens a card, as the registry keeps it: envelopes."""

    escrow: Escrow = Escrow()  # noqa: RUF009 - immutable
    admin_key: str = ""
    admin_key_before: str = ""
    transport_pin: str = ""


# --- before the card is changed ----------------------------------------------


def begin(job: Job, opening: Callable[[str], Opening]) -> Credential:
    """Put the credential on record, with what opens its card now and will then.

    One that was never finished is taken up again: trying leaves nothing behind.
    `opening` seals for the credential that it is told.
    """
    desk, wanted, before = job.desk, job.wanted, job.predecessor
    again = before if before and is_unfinished(before) else None
    name = again.id if again else desk.parts.entropy.bytes(8).hex()
    opens = opening(name)
    credential = Credential(
        id=name,
        card=job.certification.card,
        holder=wanted.holder.display_name or wanted.holder.sam_account_name,
        account=wanted.holder.user_principal_name,
        account_guid=wanted.holder.guid,
        template=wanted.template.name,
        template_version=wanted.template.version,
        state=State.ISSUED,
        escrow=opens.escrow,
        admin_key_sealed=opens.admin_key,
        admin_key_before_sealed=opens.admin_key_before,
        transport_pin_sealed=opens.transport_pin,
        issued_at=desk.parts.clock.now(),
        expires_at=job.expires,
    )
    standing = Standing(State.RETIRED) if before is not None else None

    def commit(tx: Tx) -> Credential:
        version = tx.credential(name).version if again else 0
        now = replace(credential, version=version)
        return record.issue(tx, desk, now, standing=standing, by="issue")

    return desk.parts.registry.run(commit)


# --- the card is changed -----------------------------------------------------


def carry_out(
    job: Job,
    credential: Credential,
    personalise: Callable[[Certify], CardIdentity],
    opened: Callable[[Tx, Credential], Credential],
) -> Credential:
    """Personalise, and put keys and secrets on record; else retire the credential.

    `opened` puts into the record what opens the card from now.
    """
    proven: list[tuple[PublicKey, bytes]] = []
    job.wanted.emit(Message("enrollment.step.keys"))
    try:
        identity = personalise(partial(_certify, job, credential, proven))
        job.wanted.emit(Message("enrollment.step.record"))
        if identity.key != credential.card:
            raise WrongCard
        saved = job.desk.parts.registry.run(
            lambda tx: _commit(tx, job, credential.id, proven, opened)
        )
    except (KioskError, RegistryError) as error:
        _abandon(job.desk, credential, error)
        raise
    job.certification.done()
    return saved


def _certify(
    job: Job,
    credential: Credential,
    proven: list[tuple[PublicKey, bytes]],
    keys: Sequence[NewKey],
) -> list[bytes]:
    """Have every key certified, then let it sign a fresh nonce: its proof."""
    certificates = job.certification.certify(keys)
    for key, certificate in zip(keys, certificates, strict=True):
        public = record.public_key(key.spki, key.slot, certificate)
        nonce, message = record.challenge(job.desk, credential.id)
        if not signature.is_valid(public, message, key.sign(message)):
            raise ProofFailed
        proven.append((public, nonce))
    return certificates


def _commit(
    tx: Tx,
    job: Job,
    id: str,
    proven: list[tuple[PublicKey, bytes]],
    opened: Callable[[Tx, Credential], Credential],
) -> Credential:
    """Keys on record, the new secrets current, the nonces used: in one commit."""
    keys = {key.slot: key for key, _ in proven}
    own_key = keys[KeySlot.AUTHENTICATION]
    for key, nonce in proven:
        if not record.is_fresh(tx, job.desk, nonce, id):
            raise ProofFailed
        record.key_recorded(tx, job.desk, id, key, PossessionProof.GENERATED)
    return tx.save_credential(
        replace(
            opened(tx, tx.credential(id)),
            authentication_key=own_key,
            card_authentication_key=keys.get(KeySlot.CARD_AUTHENTICATION),
            expires_at=certification.valid_until(own_key.certificate),
        )
    )


def transport_pin(job: Job, id: str, pin: Secret) -> str:
    """Return the envelope of the first PIN, where the escrow shall have it."""
    if job.wanted.template.first_pin is not FirstPin.ACTIVATION_CODE:
        return ""
    return secrets.seal(job.desk.parts, id, secrets.TRANSPORT_PIN, pin)


def handed_over(job: Job, pin: Secret) -> Secret | None:
    """Return the transport PIN for whoever hands it over; None: nobody."""
    by_hand = job.wanted.template.first_pin is FirstPin.TRANSPORT_PIN
    return pin.copy() if by_hand else None


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
