"""The keys of one card on their way to certificates, and back to where they waited.

A source may need days. Then the card keeps its new keys, what was asked is kept as a
ticket, and issuing ends with CertificatePending. When the same card is issued again to
the same person, the source is asked first, before anything on the card is changed; the
card then has to prove that it still holds those keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.authority.office.card_values import Predecessor
from kiosk.authority.office.ports import OFFICE_ERRORS
from kiosk.authority.office.values import (
    Holder,
)
from kiosk.authority.proof import signature
from kiosk.cards.errors import CardError, CardRemoved
from kiosk.cards.new_keys import NewKey
from kiosk.cards.piv.attestation import Attestation
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates import certificate_requests
from kiosk.certificates.answer import accepted
from kiosk.certificates.card_keys import public_key
from kiosk.certificates.ports import (
    Answer,
    Applicant,
    CertificatePending,
    CertificateRequest,
    CertificateSource,
    Pending,
    SourceRefused,
)
from kiosk.core.clock import Clock
from kiosk.core.errors import Message

log = logging.getLogger(__name__)
_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Waited:
    """What was waited for and has come: requests and their certificates (DER)."""

    requests: tuple[CertificateRequest, ...] = ()
    certificates: dict[KeySlot, bytes] = field(default_factory=dict)

    @property
    def guid(self) -> bytes | None:
        """The GUID the card was given when its keys were made; None: nothing came."""
        return self.requests[0].guid if self.requests else None

    @property
    def keys(self) -> dict[KeySlot, bytes]:
        """Keys that the card shall not make anew."""
        return {request.slot: request.spki for request in self.requests}


def person_of(holder: Holder) -> Applicant:
    """Return a holder as a source of certificates knows them."""
    return Applicant(account=holder.account, display_name=holder.name, guid=holder.guid)


# --- what an earlier visit has asked for -------------------------------------


def waited(
    clock: Clock,
    source: CertificateSource,
    card: str,
    holder: Holder,
    algorithm: KeyAlgorithm,
) -> Waited:
    """Ask for what this card waits for, if it is for this person still.

    CertificatePending, SourceError.
    """
    requests = tuple(source.waiting(card)) if card else ()
    if not _fit(requests, holder, algorithm):
        return Waited()
    now = clock.now()
    answers = [_asked(source, request, now) for request in requests]
    return Waited(requests, _all_there(requests, answers, now))


def _fit(
    requests: Sequence[CertificateRequest], holder: Holder, algorithm: KeyAlgorithm
) -> bool:
    """Say whether the requests are for this person, and one key of this kind."""
    wanted = {KeySlot.AUTHENTICATION: algorithm}
    return (
        any(each.slot is KeySlot.AUTHENTICATION for each in requests)
        and all(each.person == person_of(holder) for each in requests)
        and all(
            each.algorithm is wanted.get(each.slot, each.algorithm) for each in requests
        )
        and len({each.guid for each in requests}) == 1
    )


Sign = Callable[[KeySlot, KeyAlgorithm, bytes], bytes]
"""Has the card sign a message. CardError."""


def still_held(found: Waited, sign: Sign) -> Waited:
    """Return what was waited for if the card proves all its keys, else nothing."""
    held = all(_holds(sign, request) for request in found.requests)
    return found if held else Waited()


def _holds(sign: Sign, request: CertificateRequest) -> bool:
    message = b"still held" + request.csr
    try:
        signed = sign(request.slot, request.algorithm, message)
    except CardRemoved:
        raise
    except CardError:
        return False
    key = public_key(request.spki, request.slot, b"")
    return signature.is_valid(key, message, signed)


# --- new keys ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """One card that is being personalised, and who certifies its keys."""

    clock: Clock
    source: CertificateSource
    person: Applicant
    card: str
    guid: bytes
    found: Waited
    predecessor: Predecessor | None
    emit: Callable[[Message], None]
    attest: Callable[[KeySlot], Attestation | None] | None = None
    """Asks the card whether it made a key itself; None: such cards cannot say."""

    def certify(self, keys: Sequence[NewKey]) -> list[bytes]:
        """Return the certificates (DER) of all keys, or ask for them all and raise.

        CertificatePending, SourceError, ProofFailed, CardError.
        """
        now = self.clock.now()
        new = [key for key in keys if key.slot not in self.found.certificates]
        requests: list[CertificateRequest] = []
        answers: list[Answer] = []
        for key in new:
            self.emit(Message("enrollment.step.certificate", {"slot": key.slot}))
            requests.append(self._request(key))
            answers.append(_asked(self.source, requests[-1], now))
        certificates = _all_there(requests, answers, self.clock.now())
        certificates |= self.found.certificates
        return [certificates[key.slot] for key in keys]

    def _request(self, key: NewKey) -> CertificateRequest:
        attest = self.attest if self.source.wants_attestation else None
        return certificate_requests.request(
            key,
            self.person,
            card=self.card,
            guid=self.guid,
            renews=self._before(key.slot),
            attestation=attest(key.slot) if attest is not None else None,
        )

    def _before(self, slot: KeySlot) -> bytes:
        """Return the certificate that the same person's card had until now."""
        before = self.predecessor
        if before is None or before.account_guid != self.person.guid:
            return b""
        return next((key.certificate for key in before.keys if key.slot == slot), b"")

    def done(self) -> None:
        """Nothing is waited for any more."""
        _forget(self.source, self.card)


def _asked(
    source: CertificateSource, request: CertificateRequest, now: float
) -> Answer:
    """Ask once. What was refused is not waited for any more."""
    try:
        return source.obtain(request, now=now)
    except SourceRefused:
        _forget(source, request.card)
        raise


def _forget(source: CertificateSource, card: str) -> None:
    """Let the source tidy up. What it cannot is logged, and does no harm."""
    try:
        source.forget(card)
    except OFFICE_ERRORS as error:
        log.warning("enrollment.ticket_stays code=%s", error.code)


def _all_there(
    requests: Sequence[CertificateRequest], answers: Sequence[Answer], now: float
) -> dict[KeySlot, bytes]:
    """Return every certificate (DER), judged. CertificatePending, SourceMalformed."""
    found: dict[KeySlot, bytes] = {}
    for request, answer in zip(requests, answers, strict=True):
        if isinstance(answer, Pending):
            raise CertificatePending(where=answer.where)
        certificate = accepted(answer, request, now=now)
        found[request.slot] = certificate.public_bytes(Encoding.DER)
    return found


def valid_until(certificate: bytes) -> float:
    """Return the end of a certificate that was judged, in seconds UTC."""
    end = x509.load_der_x509_certificate(certificate).not_valid_after_utc
    return end.timestamp()
