"""What went wrong on the line, told by types and numbers, never by words."""

from __future__ import annotations

import socket
import ssl

from ldap3.core.exceptions import (
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPStartTLSError,
)

from kiosk.directory.errors import DirectoryError, TlsRefused, Unreachable
from kiosk.directory.values import WhyNoTrust, WhyUnreachable

_CERTIFICATE = {
    2: WhyNoTrust.INCOMPLETE,
    9: WhyNoTrust.NOT_YET_VALID,
    10: WhyNoTrust.EXPIRED,
    18: WhyNoTrust.SELF_SIGNED,
    19: WhyNoTrust.UNTRUSTED,
    20: WhyNoTrust.INCOMPLETE,
    21: WhyNoTrust.INCOMPLETE,
    24: WhyNoTrust.NO_AUTHORITY,
    25: WhyNoTrust.NO_AUTHORITY,  # a path longer than it may be
    26: WhyNoTrust.WRONG_PURPOSE,
    32: WhyNoTrust.NO_AUTHORITY,  # no key usage for signing certificates
    47: WhyNoTrust.CONSTRAINED,
    48: WhyNoTrust.CONSTRAINED,
    62: WhyNoTrust.WRONG_NAME,
    64: WhyNoTrust.WRONG_NAME,
    66: WhyNoTrust.WEAK,
    67: WhyNoTrust.WEAK,
    68: WhyNoTrust.WEAK,
    79: WhyNoTrust.NO_AUTHORITY,
}
"""OpenSSL's X509_V_ERR_…"""

_TLS = {
    "WRONG_VERSION_NUMBER": WhyNoTrust.NO_TLS,
    "RECORD_LAYER_FAILURE": WhyNoTrust.NO_TLS,
    "HTTP_REQUEST": WhyNoTrust.NO_TLS,
    "UNSUPPORTED_PROTOCOL": WhyNoTrust.OLD_TLS,
    "WRONG_SSL_VERSION": WhyNoTrust.OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": WhyNoTrust.OLD_TLS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": WhyNoTrust.NO_CIPHER,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": WhyNoTrust.NO_CIPHER,
    "NO_CIPHERS_AVAILABLE": WhyNoTrust.NO_CIPHER,
    "WRONG_CIPHER_RETURNED": WhyNoTrust.NO_CIPHER,
    "EE_KEY_TOO_SMALL": WhyNoTrust.WEAK,
    "CA_KEY_TOO_SMALL": WhyNoTrust.WEAK,
    "CA_MD_TOO_WEAK": WhyNoTrust.WEAK,
    "DH_KEY_TOO_SMALL": WhyNoTrust.WEAK,
}
"""OpenSSL's names of what ended a handshake."""


class LineBroken(Exception):
    """No answer came, or none that is LDAP. Whether the request arrived is unknown."""

    def __init__(self, why: WhyUnreachable) -> None:
        super().__init__(why.value)
        self.why = why


def opening_failed(
    dc: str, error: Exception, handshake: OSError | None
) -> DirectoryError:
    """Say why a line to `dc` could not be opened.

    `error` is what ldap3 raised; `handshake` what TLS itself did, where it got so far.
    """
    if handshake is None:
        if isinstance(error, LDAPStartTLSError):
            return TlsRefused(dc=dc, reason=WhyNoTrust.NO_TLS.value)
        return Unreachable(dcs=dc, reason=why_broken(error).value)
    match handshake:
        case ssl.SSLCertVerificationError():
            why = _CERTIFICATE.get(handshake.verify_code, WhyNoTrust.OTHER)
            number = handshake.verify_code
            return TlsRefused(dc=dc, reason=why.value, number=number)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Unreachable(dcs=dc, reason=WhyUnreachable.CONNECTION_LOST.value)
        case ssl.SSLError():
            words = str(handshake.reason or "")
            why = _TLS.get(words, WhyNoTrust.PROTOCOL)
            return TlsRefused(dc=dc, reason=why.value, words=words)
        case _:
            return Unreachable(dcs=dc, reason=why_broken(handshake).value)


def why_broken(error: Exception) -> WhyUnreachable:
    """Name what a socket, or ldap3 for it, raised.

    ldap3's exceptions are also of the type that the socket raised. When several
    addresses of one name failed, it lists them; the last one counts.
    """
    if len(error.args) > 1 and isinstance(error.args[1], list):
        error = error.args[1][-1][0]
    match error:
        case TimeoutError():
            return WhyUnreachable.TIMED_OUT
        case ConnectionRefusedError():
            return WhyUnreachable.REFUSED
        case socket.gaierror():
            return WhyUnreachable.NAME_UNKNOWN
        case ConnectionError() | ssl.SSLError():
            return WhyUnreachable.CONNECTION_LOST
        case OSError():
            return WhyUnreachable.NO_ROUTE
        case LDAPSocketOpenError():
            return WhyUnreachable.NAME_UNKNOWN
        case UnicodeDecodeError():
            return WhyUnreachable.MALFORMED
        case UnicodeError():  # the name itself: an empty or too long label
            return WhyUnreachable.NAME_UNKNOWN
        case LDAPSessionTerminatedByServerError():
            return WhyUnreachable.CONNECTION_LOST
        case _:
            return WhyUnreachable.MALFORMED
