"""What went wrong on the line, told by types and numbers, never by words."""

from __future__ import annotations

import socket
import ssl

from ldap3.core.exceptions import (
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPStartTLSError,
)

from kiosk.directory.ports import (
    DirectoryError,
    TlsRefused,
    Unreachable,
    WhyNoTrust,
    WhyUnreachable,
)

_CERTIFICATE = {
    9: WhyNoTrust.NOT_YET_VALID,
    10: WhyNoTrust.EXPIRED,
    23: WhyNoTrust.REVOKED,
    62: WhyNoTrust.WRONG_NAME,
    64: WhyNoTrust.WRONG_NAME,
}
"""OpenSSL's X509_V_ERR_…; any other means that the chain does not end in our trust."""

_NO_TLS_SPOKEN = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}
)


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
    distrust = _distrust(handshake)
    if distrust is None:
        return Unreachable(dcs=dc, reason=why_broken(handshake).value)
    return TlsRefused(dc=dc, reason=distrust.value)


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


def _distrust(handshake: OSError) -> WhyNoTrust | None:
    """Name what TLS did not like; None: the connection itself was lost."""
    match handshake:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(handshake.verify_code, WhyNoTrust.UNTRUSTED)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return None
        case ssl.SSLError():
            spoken = handshake.reason not in _NO_TLS_SPOKEN
            return WhyNoTrust.PROTOCOL if spoken else WhyNoTrust.NO_TLS
        case _:
            return None
