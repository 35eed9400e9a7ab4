"""A DNS server on a loopback port that says what a test wants it to, or nothing.

with DnsServer() as dns:
    dns.service("_ldap._tcp.dc._msdcs.ad.test", "dc1.ad.test")
    dns.host("dc1.ad.test", "127.0.0.1")
    Locator(clock, domain="ad.test", nameservers=(dns.address,), seconds=1.0)
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_WAKE = b""


class DnsServer:
    """Answers over UDP, on 127.0.0.1 as a rule, what is on record; no more exists."""

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.questions: list[str] = []
        """Every name that was asked for, in lower case."""
        self.silent = False
        """Hear everything, answer nothing."""
        self.rcode = dns.rcode.NOERROR
        """Another one: the answer to everything, e.g. SERVFAIL."""
        self.ill_at = ""
        """A name, in lower case: `silent` and `rcode` are for this one alone."""
        self._records: dict[tuple[str, str], dns.rrset.RRset] = {}
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def address(self) -> str:
        """Return `address:port`."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        with socket.socket(type=socket.SOCK_DGRAM) as waker:
            waker.sendto(_WAKE, self._socket.getsockname())
        self._thread.join(10)
        self._socket.close()

    # --- what is on record ----------------------------------------------------

    def service(self, name: str, *targets: str, ttl: int = 600) -> None:
        """Put SRV records there: `host`, or `priority weight port host`."""
        said = [
            target if " " in target else f"0 100 389 {target}." for target in targets
        ]
        self._put(name, "SRV", said, ttl)

    def host(self, name: str, *addresses: str) -> None:
        """Put A records there."""
        self._put(name, "A", list(addresses), 600)

    def forget(self) -> None:
        """Remove everything."""
        self._records.clear()

    # --- inside ---------------------------------------------------------------

    def _put(self, name: str, kind: str, values: list[str], ttl: int) -> None:
        records = dns.rrset.from_text_list(f"{name}.", ttl, "IN", kind, values)
        self._records[name.lower(), kind] = records

    def _serve(self) -> None:
        while True:
            words, client = self._socket.recvfrom(4096)
            if self._ended.is_set():
                return
            with contextlib.suppress(OSError, dns.message.ShortHeader):
                if (answer := self._answer(words)) is not None:
                    self._socket.sendto(answer, client)

    def _answer(self, words: bytes) -> bytes | None:
        query = dns.message.from_wire(words)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.questions.append(name)
        is_ill = self.ill_at in ("", name)
        if is_ill and self.silent:
            return None
        rcode = self.rcode if is_ill else dns.rcode.NOERROR
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.set_rcode(rcode)
        found = self._records.get((name, dns.rdatatype.to_text(question.rdtype)))
        if rcode == dns.rcode.NOERROR and found is not None:
            response.answer.append(found)
        elif not any(known == name for known, _ in self._records):
            response.set_rcode(rcode or dns.rcode.NXDOMAIN)
        return response.to_wire()
