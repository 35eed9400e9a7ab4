"""Which domain controllers there are, asked of DNS. The only module that imports it.

`_ldap._tcp.SITE._sites.dc._msdcs.DOMAIN` first, then `_ldap._tcp.dc._msdcs.DOMAIN`
(MS-ADTS 6.3.2.3), in the order of RFC 2782. The port in the answer is that of plain
LDAP and is not used. Anybody can forge an answer: a name that is not below the domain
is dropped, so that a certificate for somebody else's name never convinces.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.IN.SRV import SRV

from kiosk.core.clock import Clock
from kiosk.core.name_lookup import is_address
from kiosk.directory.errors import Unreachable
from kiosk.directory.values import WhyUnreachable

MOST = 8
"""Domain controllers that are kept of an answer."""
SHORTEST, LONGEST = 30.0, 3600.0
"""Seconds that an answer is believed, whatever its TTL says."""
_DNS = 53
_HOST = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*")
_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found, and until when (monotonic) it is believed."""

    dcs: tuple[str, ...]
    until: float


class Locator:
    """Remembers what it found. Any thread; one asks while the others wait for it."""

    def __init__(
        self,
        clock: Clock,
        *,
        domain: str,
        site: str = "",
        nameservers: Sequence[str] = (),
        seconds: float,
    ) -> None:
        """`nameservers`: `address` or `address:port`; empty: the system's.

        `seconds` bounds one search for the DCs as a whole. Asks nothing yet.
        """
        self._clock = clock
        self._domain = domain.rstrip(".").lower()
        self._site = site
        self._nameservers = tuple(nameservers)
        self._seconds = seconds
        self._known: _Known | None = None
        self._lock = threading.Lock()
        self._failed = 0
        """How many searches have found nothing."""
        self._trouble: Unreachable | None = None
        """What came of the last one of those."""

    def controllers(self) -> tuple[str, ...]:
        """Return the DCs' host names, the best first. Unreachable.

        When DNS does not answer, an earlier answer is believed a little longer; who
        waited for a search that failed is told so, and does not wait for another one.
        """
        failed = self._failed
        with self._lock:
            now = self._clock.monotonic()
            if self._known is not None and now < self._known.until:
                return self._known.dcs
            if self._trouble is not None and self._failed != failed:
                raise Unreachable(**self._trouble.data)
            try:
                self._known = self._found(now)
            except Unreachable as error:
                self._failed += 1
                self._trouble = error
                raise
            return self._known.dcs

    def addresses(self, host: str, seconds: float) -> Sequence[str]:
        """Resolve a host by the same name servers (`addresses.Resolve`)."""
        if is_address(host):
            return (host,)
        try:
            resolver = self._resolver()
            found = resolver.resolve_name(host, search=False, lifetime=seconds)
            return tuple(found.addresses())
        except dns.exception.Timeout as error:
            raise TimeoutError("the name was not resolved in time") from error
        except dns.exception.DNSException as error:
            raise socket.gaierror(socket.EAI_NONAME, "no such name") from error

    # --- inside ---------------------------------------------------------------

    def _found(self, now: float) -> _Known:
        try:
            dcs, ttl = self._search()
        except dns.exception.DNSException as error:
            if self._known is not None:
                return _Known(self._known.dcs, now + SHORTEST)
            timed_out = isinstance(error, dns.exception.Timeout)
            raise self._unreachable(
                WhyUnreachable.TIMED_OUT if timed_out else WhyUnreachable.NAME_UNKNOWN
            ) from error
        if not dcs:
            raise self._unreachable(WhyUnreachable.NAME_UNKNOWN)
        return _Known(dcs[:MOST], now + min(max(ttl, SHORTEST), LONGEST))

    def _search(self) -> tuple[tuple[str, ...], float]:
        """Return the site's DCs, then the others, and how long that holds.

        Where the others cannot be asked for: those that were known, and not for long.
        """
        resolver = self._resolver()
        until = time.monotonic() + self._seconds
        places = [f"_ldap._tcp.dc._msdcs.{self._domain}"]
        if self._site:
            at_site = f"_ldap._tcp.{self._site}._sites.dc._msdcs.{self._domain}"
            places.insert(0, at_site)
        found: dict[str, None] = {}
        ttl = LONGEST
        for place in places:
            left = max(until - time.monotonic(), 0.001)
            try:
                answer = resolver.resolve(
                    place, dns.rdatatype.SRV, search=False, lifetime=left
                )
            except _NOTHING:
                continue
            except dns.exception.DNSException:
                if not found:
                    raise
                earlier = self._known.dcs if self._known is not None else ()
                return tuple(dict.fromkeys((*found, *earlier))), SHORTEST
            if answer.rrset is None:
                continue
            ttl = min(ttl, float(answer.rrset.ttl))
            for record in answer.rrset.processing_order():
                name = _target(record)
                if self._is_ours(name):
                    found.setdefault(name)
        return tuple(found), ttl

    def _is_ours(self, name: str) -> bool:
        return name.endswith(f".{self._domain}") and bool(_HOST.fullmatch(name))

    def _resolver(self) -> dns.resolver.Resolver:
        """Return a resolver. dns.resolver.NoResolverConfiguration."""
        resolver = dns.resolver.Resolver(configure=not self._nameservers)
        if self._nameservers:
            resolver.nameservers = [_server(each) for each in self._nameservers]
        # So that a dead one leaves time for the others, also at the second question.
        resolver.timeout = self._seconds / (2 * max(1, len(resolver.nameservers)))
        return resolver

    def _unreachable(self, why: WhyUnreachable) -> Unreachable:
        return Unreachable(dcs=self._domain, reason=why.value)


def _target(record: Rdata) -> str:
    """Return the host that a record names; empty: none."""
    if not isinstance(record, SRV):
        return ""
    return str(record.target.to_text(omit_final_dot=True)).lower()


def _server(told: str) -> dns.nameserver.Nameserver:
    """Read `address` or `address:port`, brackets around a version 6 address."""
    if is_address(told):
        return dns.nameserver.Do53Nameserver(told, _DNS)
    parts = urlsplit(f"//{told}")
    return dns.nameserver.Do53Nameserver(parts.hostname or "", parts.port or _DNS)
