"""Opening a line to one DC: at which address, protected how, and why it failed."""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections.abc import Sequence

from ldap3 import ANONYMOUS, NONE, SYNC, Connection, Server

from kiosk.directory.errors import TlsRefused, Unreachable
from kiosk.directory.ldap import codes
from kiosk.directory.ldap.addresses import Resolve
from kiosk.directory.ldap.failures import opening_failed
from kiosk.directory.ldap.settings import LdapSettings, Protection
from kiosk.directory.ldap.shown import explained, shown
from kiosk.directory.ldap.tls import TlsLine, VerifiedTls, looking, verifying
from kiosk.directory.values import WhyNoTrust, WhyUnreachable

MOST_ADDRESSES = 4
"""Addresses of one name that are tried."""
_LOOK_SECONDS = 1.0
"""For a second look at a certificate that was refused."""


def open_line(
    settings: LdapSettings, dc: str, resolve: Resolve
) -> tuple[Connection, str]:
    """Return an open line to a DC and the address it leads to. Unreachable, TlsRefused.

    `connect_timeout` bounds resolving its name and connecting as a whole, however many
    addresses it has.
    """
    until = time.monotonic() + settings.connect_timeout
    addresses = _resolved(settings, dc, resolve)
    context = _context(settings, dc)
    for index, address in enumerate(addresses):
        left = (until - time.monotonic()) / (len(addresses) - index)
        try:
            return _connected(settings, dc, context, address, left), address
        except Unreachable:
            if index + 1 == len(addresses) or time.monotonic() >= until:
                raise
    raise Unreachable(dcs=dc, reason=WhyUnreachable.NAME_UNKNOWN.value)


def let_go(connection: Connection) -> None:
    """Close a line. Never raises; safe to call twice."""
    left = connection.socket
    with contextlib.suppress(Exception):  # what is left of it does not matter
        connection.unbind()
    if left is not None:
        left.close()


# --- inside ------------------------------------------------------------------


def _resolved(settings: LdapSettings, dc: str, resolve: Resolve) -> Sequence[str]:
    """Return the addresses of a DC; there may be none. Unreachable."""
    host, _ = settings.address(dc)
    try:
        return resolve(host, settings.connect_timeout)[:MOST_ADDRESSES]
    except (OSError, UnicodeError) as error:
        raise opening_failed(dc, error, None) from error


def _context(settings: LdapSettings, dc: str) -> ssl.SSLContext:
    """Return a context that verifies. TlsRefused if our own CA file is unreadable."""
    try:
        return verifying(settings.ca_file)
    except OSError as error:
        file = str(settings.ca_file)
        raise TlsRefused(dc=dc, reason=WhyNoTrust.CA_FILE.value, file=file) from error


def _connected(
    settings: LdapSettings, dc: str, context: ssl.SSLContext, address: str, left: float
) -> Connection:
    """Open a line to one address within what is `left`. Unreachable, TlsRefused."""
    host, _ = settings.address(dc)
    tls = VerifiedTls(context, host, settings.receive_timeout)
    connection = _prepared(settings, dc, tls, address, left)
    try:
        _open(settings, connection)
    except Exception as error:
        answer = _answer_to_starttls(connection)
        let_go(connection)
        failed = opening_failed(dc, error, tls.failure)
        if not isinstance(failed, TlsRefused):
            raise failed from error
        refused = TlsRefused(**failed.data, **answer)
        if isinstance(tls.failure, ssl.SSLCertVerificationError):
            refused = _explained(settings, refused, dc, address)
        raise refused from error
    return connection


def _prepared(
    settings: LdapSettings, dc: str, tls: VerifiedTls, address: str, seconds: float
) -> Connection:
    _, port = settings.address(dc)
    server = Server(
        address,
        port=port,
        use_ssl=settings.protection is Protection.LDAPS,
        tls=tls,
        get_info=NONE,
        connect_timeout=max(seconds, 0.001),
    )
    return Connection(
        server,
        authentication=ANONYMOUS,
        client_strategy=SYNC,
        auto_referrals=False,
        check_names=False,
        return_empty_attributes=False,
        receive_timeout=math.ceil(settings.receive_timeout),
    )


def _open(settings: LdapSettings, connection: Connection) -> None:
    connection.open(read_server_info=False)
    if settings.protection is Protection.STARTTLS:
        connection.socket = TlsLine(connection.socket, settings.receive_timeout)
        connection.start_tls(read_server_info=False)


def _answer_to_starttls(connection: Connection) -> dict[str, str | int]:
    """Return what the DC answered to StartTLS, if that was a no."""
    result = connection.result
    if not isinstance(result, dict) or result.get("result") in (None, codes.SUCCESS):
        return {}
    return codes.told(int(result["result"]), str(result.get("message") or ""))


def _explained(
    settings: LdapSettings, refused: TlsRefused, dc: str, address: str
) -> TlsRefused:
    """Look once more at the certificate that was refused. Nothing is sent there."""
    seconds = min(settings.receive_timeout, _LOOK_SECONDS)
    tls = VerifiedTls(looking(), settings.address(dc)[0], seconds)
    connection = _prepared(settings, dc, tls, address, seconds)
    try:
        _open(settings, connection)
        certificate = shown(connection.socket.socket.getpeercert(binary_form=True))
    except Exception:  # noqa: BLE001 - whatever ldap3 raises: the refusal stands
        certificate = None
    finally:
        let_go(connection)
    return refused if certificate is None else explained(refused, certificate)
