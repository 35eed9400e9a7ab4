"""What a process that serves a fleet shows its stations: `kiosk doctor`.

A station believes no other name than the one that it asks for, so it is asked as a
station would, without a connection: between two ends in memory. Who signed the
certificate is not judged; what issuer a station believes, only the station knows.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.authority.client.line import Address
from kiosk.core.clock import Clock
from kiosk.core.untrusted_text import visible
from kiosk.doctor import Finding, fail, ok, service_account

PART = "service"
_OTHER_NAME = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH, as OpenSSL has
them."""


def certificate(
    shown: ssl.SSLContext, own: x509.Certificate, names: Sequence[str], clock: Clock
) -> Iterator[Finding]:
    """Every name that stations know must be the certificate's, and it must last.

    `shown`: what the process serves with. `names`: each HOST[:PORT].
    """
    der = own.public_bytes(Encoding.DER)
    refused: list[str] = []
    for name in names:
        try:
            _as_a_station(shown, der, Address.of(f"https://{name}").host)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code not in _OTHER_NAME:
                why = visible(error.verify_message, 80)
                yield fail(PART, "service_refused", why=why)
                return
            refused.append(name)
    if refused:
        yield fail(PART, "service_unnamed", names=", ".join(refused))
    else:
        yield ok(PART, "service_named", names=", ".join(names))
    expires = own.not_valid_after_utc.timestamp()
    yield from service_account.certificate(PART, expires, clock)


def _as_a_station(shown: ssl.SSLContext, der: bytes, host: str) -> None:
    """Shake hands, as with that host. SSLCertVerificationError."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.load_verify_locations(cadata=der)
    asking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = asking.wrap_bio(back, there, server_hostname=host)
    answers = shown.wrap_bio(there, back, server_side=True)
    for end in (asks, answers, asks):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
