"""A client of Enrollment over Secure Transport (RFC 7030, 8951): certificates by HTTPS.

It signs nothing itself: what it posts is a request that the card has signed. The server
decides by who we are, which we say with HTTP basic authentication or a TLS client
certificate, always after its own certificate has been verified. Every wait is bounded:
connecting, one whole answer, and how long a 202 is waited out before the card may go.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from kiosk.cards.values import KeySlot
from kiosk.certificates.card_certificates import UnreadableCertificate, key_of
from kiosk.certificates.https import HttpsClient, Reply
from kiosk.certificates.ports import (
    Answer,
    CertificateRequest,
    Certified,
    Pending,
    SourceMalformed,
    SourceRefused,
)
from kiosk.core.clock import Clock
from kiosk.core.untrusted_text import visible

_REASON = 120
_UNTOLD_WAIT = 60
_SHORTEST_WAIT, _LONGEST_WAIT = 1, 7 * 86_400
"""Seconds that a Retry-After may say and mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstSettings:
    """What is asked of the server."""

    days: int
    """How long its certificates are expected to be valid."""
    wait: float
    """Seconds that a 202 is waited out, with the card in the reader."""
    labels: dict[KeySlot, str]
    """Which of the server's profiles certifies which key; silent: its only one."""


class EstClient:
    """One server. Wrapped in `Ticketed` it is a `CertificateSource`."""

    def __init__(self, line: HttpsClient, settings: EstSettings, clock: Clock) -> None:
        self._line = line
        self._settings = settings
        self._clock = clock
        self._authorities: dict[str, tuple[x509.Certificate, ...]] = {}

    @property
    def days(self) -> int:
        return self._settings.days

    def authorities(self, slot: KeySlot) -> tuple[x509.Certificate, ...]:
        """Ask for the certificates of the server's authorities (§4.1). SourceError."""
        label = self._settings.labels.get(slot, "")
        if label not in self._authorities:
            reply = self._line.get(_path(label, "cacerts"))
            self._authorities[label] = _certificates(_done(reply))
        return self._authorities[label]

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        """Enroll (§4.2), waiting out a short 202. SourceError."""
        issuers = self.authorities(request.slot)
        operation = "simplereenroll" if request.renews else "simpleenroll"
        path = _path(self._settings.labels.get(request.slot, ""), operation)
        body = base64.encodebytes(request.csr)
        left = self._settings.wait
        while True:
            reply = self._line.post(path, "application/pkcs10", body)
            if reply.status != HTTPStatus.ACCEPTED:
                found = _certificates(_done(reply))
                return Certified(_own_first(found, request.spki), issuers)
            pause = _retry_after(reply, now + self._settings.wait - left)
            if pause > left:
                return Pending(where=self._line.name, seconds=pause)
            self._clock.sleep(pause)
            left -= pause

    def forget(self, card: str) -> None:
        """The server keeps its own books."""


def _path(label: str, operation: str) -> str:
    profile = f"{label}/" if label else ""
    return f"/.well-known/est/{profile}{operation}"


def _done(reply: Reply) -> bytes:
    """Return the body of a 200. SourceRefused with the server's words."""
    if reply.status == HTTPStatus.OK:
        return reply.body
    words = ""
    if reply.content_type.startswith("text/plain"):
        words = visible(reply.body.decode("utf-8", "replace").strip(), _REASON)
    raise SourceRefused(reason=f"{reply.status} {words}".strip())


def _certificates(body: bytes) -> tuple[x509.Certificate, ...]:
    """Read a certs-only CMS in base64 (§4.1.3, §4.2.3), whatever its white space."""
    try:
        der = base64.b64decode(b"".join(body.split()), validate=True)
        found = pkcs7.load_der_pkcs7_certificates(der)
    except (binascii.Error, ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as e:
        raise SourceMalformed from e
    if not found:
        raise SourceMalformed
    return tuple(found)


def _own_first(found: tuple[x509.Certificate, ...], spki: bytes) -> tuple[bytes, ...]:
    """Put the card's certificate first: a CMS is a set."""
    ordered = sorted(found, key=lambda each: not _has_key(each, spki))
    return tuple(each.public_bytes(Encoding.DER) for each in ordered)


def _has_key(certificate: x509.Certificate, spki: bytes) -> bool:
    try:
        return key_of(certificate) == spki
    except UnreadableCertificate:
        return False


def _retry_after(reply: Reply, now: float) -> int:
    """Return the seconds a 202 asks for (§4.2.3): a number or a date.

    A date without a zone, as asctime writes it, or with -0000 is UTC (RFC 9110 §5.6.7).
    A server that says nothing is asked again after a minute. SourceMalformed.
    """
    told = reply.retry_after.strip()
    try:
        if not told:
            seconds = float(_UNTOLD_WAIT)
        elif told.isascii() and told.isdigit():
            seconds = float(told)
        else:
            date = parsedate_to_datetime(told)
            seconds = date.replace(tzinfo=date.tzinfo or datetime.UTC).timestamp() - now
    except (ValueError, OverflowError) as error:
        raise SourceMalformed from error
    return round(min(max(seconds, _SHORTEST_WAIT), _LONGEST_WAIT))
