"""One verified TLS connection to one DC: open, sign in, search, modify, let go."""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ldap3 import ANONYMOUS, BASE, NONE, SUBTREE, SYNC, Connection, Server
from ldap3.protocol.microsoft import security_descriptor_control

from kiosk.directory.ldap import codes, secret_requests
from kiosk.directory.ldap.addresses import Resolve, by_system
from kiosk.directory.ldap.failures import LineBroken, opening_failed, why_broken
from kiosk.directory.ldap.settings import LdapSettings, Protection
from kiosk.directory.ldap.tls import Line, VerifiedTls
from kiosk.directory.ports import (
    ReadFailed,
    SentTooLate,
    TlsRefused,
    Unreachable,
    WhyNoTrust,
    WhyUnreachable,
)
from kiosk.secret import Secret

SAMPLE = 100
"""Objects that are enough to look at."""
MOST_ADDRESSES = 4
"""Addresses of one name that are tried."""
_ANYTHING = "(objectClass=*)"
_OWNER_AND_DACL = 0x1 | 0x4

Entry = Mapping[str, Sequence[bytes]]
"""An object's attributes as they came, by name in any case."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Answer:
    """An LDAP result: its number and what the DC wrote beside it."""

    result: int
    message: str
    token: bytes = b""
    """What the DC says next in a negotiation."""


class Channel:
    """Usable once built. One thread at a time; after a LineBroken only `close`."""

    def __init__(
        self, settings: LdapSettings, dc: str, resolve: Resolve = by_system
    ) -> None:
        """Open a line to `dc`. Unreachable, TlsRefused.

        `connect_timeout` bounds resolving its name and connecting as a whole, however
        many addresses it has.
        """
        self.dc = dc
        self.address = ""
        """Where it was reached: a name may stand for several DCs."""
        until = time.monotonic() + settings.connect_timeout
        addresses = _resolved(settings, dc, resolve)
        context = _context(settings, dc)
        for index, address in enumerate(addresses):
            left = (until - time.monotonic()) / (len(addresses) - index)
            try:
                self._connect(settings, context, address, left)
            except Unreachable:
                if index + 1 == len(addresses) or time.monotonic() >= until:
                    raise
            else:
                self.address = address
                return

    def _connect(
        self, settings: LdapSettings, context: ssl.SSLContext, address: str, left: float
    ) -> None:
        """Open a line to one address within what is `left`. Unreachable, TlsRefused."""
        host, port = settings.address(self.dc)
        tls = VerifiedTls(context, host, settings.receive_timeout)
        server = Server(
            address,
            port=port,
            use_ssl=settings.protection is Protection.LDAPS,
            tls=tls,
            get_info=NONE,
            connect_timeout=max(left, 0.001),
        )
        self._connection = Connection(
            server,
            authentication=ANONYMOUS,
            client_strategy=SYNC,
            auto_referrals=False,
            check_names=False,
            return_empty_attributes=False,
            receive_timeout=math.ceil(settings.receive_timeout),
        )
        try:
            self._open(settings)
        except Exception as error:
            self.close()
            raise opening_failed(self.dc, error, tls.failure) from error

    def _open(self, settings: LdapSettings) -> None:
        self._connection.open(read_server_info=False)
        if settings.protection is Protection.STARTTLS:
            plain = self._connection.socket
            self._connection.socket = Line(plain, settings.receive_timeout)
            self._connection.start_tls(read_server_info=False)

    def bind(self, name: str, password: Secret) -> Answer:
        """Sign in. LineBroken."""
        return self._exchange(
            lambda message: secret_requests.bind(message, name, password)
        )

    def negotiate(self, mechanism: str, token: bytes) -> Answer:
        """Go one step on in signing in by SASL (RFC 4513, 5.2). LineBroken."""
        return self._exchange(
            lambda message: secret_requests.negotiate(message, mechanism, token)
        )

    def reset(
        self,
        dn: str,
        password: Secret,
        control: str = "",
        *,
        is_late: Callable[[], bool] = _never,
    ) -> Answer:
        """Replace the password and unlock, in one modify, sent once. LineBroken.

        `is_late` is asked directly before it would be sent: SentTooLate.
        """
        return self._exchange(
            lambda message: secret_requests.reset(message, dn, password, control),
            is_late,
        )

    def read(self, dn: str, condition: str, *attributes: str) -> Entry | None:
        """Read one object; None if there is none, or not such. ReadFailed."""
        found = self._search(dn, condition, BASE, attributes)
        return found[0] if found else None

    def search(self, base: str, condition: str, *attributes: str) -> list[Entry]:
        """Return what is found below `base`, at most two objects. ReadFailed."""
        return self._search(base, condition, SUBTREE, attributes)

    def sample(self, base: str, condition: str, *attributes: str) -> list[Entry]:
        """Return what is found below `base`, at most `SAMPLE` objects. ReadFailed."""
        return self._search(base, condition, SUBTREE, attributes, most=SAMPLE)

    def guard(self, dn: str, *attributes: str) -> Entry | None:
        """Read one object with the owner and DACL of its descriptor. ReadFailed.

        Unless told to leave out the SACL (MS-ADTS 3.1.1.3.4.1.11), a DC leaves out the
        whole descriptor for those who may not read that.
        """
        parts = security_descriptor_control(criticality=True, sdflags=_OWNER_AND_DACL)
        wanted = ("nTSecurityDescriptor", *attributes)
        found = self._search(dn, _ANYTHING, BASE, wanted, controls=parts)
        return found[0] if found else None

    def certificate_expires(self) -> float:
        """Return the end of the DC's certificate, seconds since 1970 UTC."""
        shown = self._connection.socket.socket.getpeercert()
        return float(ssl.cert_time_to_seconds(shown["notAfter"]))

    def certificate(self) -> bytes:
        """Return the DC's certificate (DER)."""
        shown: bytes = self._connection.socket.socket.getpeercert(binary_form=True)
        return shown

    def close(self) -> None:
        """Let go of the line. Never raises; safe to call twice."""
        left = self._connection.socket
        with contextlib.suppress(Exception):  # what is left of it does not matter
            self._connection.unbind()
        if left is not None:
            left.close()

    # --- inside ---------------------------------------------------------------

    def _exchange(
        self,
        encode: Callable[[int], bytearray],
        is_late: Callable[[], bool] = _never,
    ) -> Answer:
        """Send a request that ldap3 must not see; let it read the answer."""
        message = self._connection.server.next_message_id()
        request = encode(message)
        strategy = self._connection.strategy
        try:
            if is_late():
                raise SentTooLate(dc=self.dc)
            with _line_broken():
                strategy._outstanding[message] = {}  # noqa: SLF001 - ldap3 has no public way to await the answer to a request that it did not send
                self._connection.socket.sendall(request)
                _, answer = strategy.get_response(message)
        finally:
            secret_requests.wipe(request)
        token = answer.get("saslCreds") or b""
        return Answer(answer["result"], answer["message"], token)

    def _search(
        self,
        base: str,
        condition: str,
        scope: Literal["BASE", "SUBTREE"],
        attributes: tuple[str, ...],
        *,
        most: int = 2,
        controls: Sequence[object] | None = None,
    ) -> list[Entry]:
        try:
            with _line_broken():
                self._connection.search(
                    base,
                    condition,
                    scope,
                    attributes=attributes,
                    size_limit=most,
                    controls=controls,
                )
                result = self._connection.result["result"]
                entries: list[Entry] = [
                    entry["raw_attributes"]
                    for entry in self._connection.response or ()
                    if entry["type"] == "searchResEntry"
                ]
        except LineBroken as error:
            raise ReadFailed(dc=self.dc, reason="no_answer") from error
        if result == codes.NO_SUCH_OBJECT:
            return []
        if result not in (codes.SUCCESS, codes.SIZE_LIMIT_EXCEEDED):
            raise ReadFailed(dc=self.dc, reason="refused")
        return entries


def _resolved(settings: LdapSettings, dc: str, resolve: Resolve) -> Sequence[str]:
    """Return the addresses of a DC. Unreachable."""
    host, _ = settings.address(dc)
    try:
        addresses = resolve(host, settings.connect_timeout)[:MOST_ADDRESSES]
    except (OSError, UnicodeError) as error:
        raise opening_failed(dc, error, None) from error
    if not addresses:
        raise Unreachable(dcs=dc, reason=WhyUnreachable.NAME_UNKNOWN.value)
    return addresses


def _context(settings: LdapSettings, dc: str) -> ssl.SSLContext:
    """Return a context that verifies. TlsRefused if our own CA file is unreadable."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise TlsRefused(dc=dc, reason=WhyNoTrust.CA_FILE.value) from error


@contextlib.contextmanager
def _line_broken() -> Iterator[None]:
    """Turn whatever ldap3 raises into LineBroken.

    It decodes what a server sent: garbage can come out as any exception.
    """
    try:
        yield
    except Exception as error:
        raise LineBroken(why_broken(error)) from error
