"""Where certificates come from, as issuing a card sees it. This room's doors.

A source is given a certificate request that the card itself has signed, with whom it
is for, and answers with a chain or says that somebody has yet to decide. Asking again
with the same request goes on where it stood. Called on the card worker's thread, within
the card's transaction, and blocks it within the source's own timeouts. Only the
errors below come out, and those of reading the source's own files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509

from kiosk.cards.piv.attestation import Attestation
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.errors import KioskError

# --- values ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who a card is for, as the directory has them. Names are raw."""

    account: str
    """userPrincipalName."""
    display_name: str
    guid: str
    """objectGUID, lower-case, hyphenated."""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """One key of one card that shall have a certificate."""

    person: Applicant
    card: str
    """The registry's key of the card (`CardIdentity.key`)."""
    guid: bytes
    """The card's own 16 bytes, as its CHUID has them."""
    slot: KeySlot
    algorithm: KeyAlgorithm
    spki: bytes
    """DER SubjectPublicKeyInfo of the card's key."""
    csr: bytes
    """DER PKCS#10 (RFC 2986), signed by the card."""
    attestation: Attestation | None = None
    """The card's own word that it made the key, where it gives one."""
    renews: bytes = b""
    """The DER certificate of the same names that this one follows; empty: none."""


@dataclass(frozen=True, slots=True)
class Certified:
    """The answer: DER certificates, the card's own first or anywhere."""

    chain: tuple[bytes, ...]
    issuers: tuple[x509.Certificate, ...] = ()
    """The authorities that the source signs with; empty: it does not tell."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Not yet: somebody has to decide."""

    where: str
    """Which folder or server has the request, in words."""
    seconds: int = 0
    """When asking again is worth while; 0: nobody said."""


Answer = Certified | Pending


# --- errors ------------------------------------------------------------------


class SourceError(KioskError):
    """Root of what a source of certificates may raise."""

    code = "enrollment.source"


class SourceRefused(SourceError):
    """The source said no: `reason` (its own words, made visible)."""

    code = "enrollment.source_refused"


class SourceSilent(SourceError):
    """The source did not answer in time, or not at all: `source`."""

    code = "enrollment.source_silent"


class SourceNotTrusted(SourceSilent):
    """The source's own TLS certificate is not to be believed: `source`."""

    code = "enrollment.source_not_trusted"


class SourceUnusable(SourceError):
    """A folder or file of the source cannot be read or written: `file`, `reason`."""

    code = "enrollment.source_unusable"


class SourceMalformed(SourceError):
    """What came back is no certificate, or not the one that was wanted."""

    code = "enrollment.source_malformed"


class AnotherKey(SourceMalformed):
    """The certificate is for another key than the card's: `slot`."""

    code = "enrollment.source_another_key"


class AnotherName(SourceMalformed):
    """The certificate does not name just whom it is for: `account`."""

    code = "enrollment.source_another_name"


class NotThatUse(SourceMalformed):
    """The certificate is not for signing in (9A) or for a card (9E): `slot`."""

    code = "enrollment.source_not_that_use"


class NotValidNow(SourceMalformed):
    """The certificate is not valid yet or no longer: `slot`."""

    code = "enrollment.source_not_valid_now"


class NotOfThisIssuer(SourceMalformed):
    """None of the source's own authorities has signed the certificate: `slot`."""

    code = "enrollment.source_not_its_own"


class CertificatePending(SourceError):
    """The certificate was asked for and is not there yet: `where`."""

    code = "enrollment.certificate_pending"


# --- the port ----------------------------------------------------------------


class CertificateSource(Protocol):
    """Certifies keys of cards."""

    @property
    def days(self) -> int:
        """How long its certificates are expected to be valid."""

    @property
    def wants_attestation(self) -> bool:
        """Whether requests shall carry the card's own word about a key."""

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        """Ask for a certificate, or again for the same one. `now` in seconds UTC.

        SourceError.
        """

    def waiting(self, card: str) -> Sequence[CertificateRequest]:
        """Return the requests of a card that were answered with Pending."""

    def forget(self, card: str) -> None:
        """Nothing is waited for any more for this card."""
