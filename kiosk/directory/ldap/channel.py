"""One verified TLS connection to one DC: open, sign in, search, modify, let go."""

from __future__ import annotations

import contextlib
import logging
import math
import select
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ldap3 import SUBTREE

from kiosk.core.name_lookup import by_system
from kiosk.core.secret import Secret
from kiosk.directory.errors import ReadFailed, SentTooLate
from kiosk.directory.ldap import (
    ber,
    codes,
    descriptor_control,
    many_reads,
    secret_requests,
)
from kiosk.directory.ldap.addresses import Resolve
from kiosk.directory.ldap.failures import LineBroken, why_broken
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.ldap.opening import let_go, open_line
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.values import MOST_PEOPLE, WhyUnreachable

SAMPLE = MOST_PEOPLE
"""Objects that are enough to look at."""
PAGE = 200
"""Objects of a page, where all are looked at."""
_PAGED = "1.2.840.113556.1.4.319"
"""LDAP_PAGED_RESULT_OID_STRING (RFC 2696)."""
_log = logging.getLogger(__name__)
_ANYTHING = "(objectClass=*)"


def _never() -> bool:
    return False


def _read_of(dn: str, attribute: str, number: int) -> bytearray:
    return many_reads.request(number, dn, attribute)


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
        self.address: str
        """Where it was reached: a name may stand for several DCs."""
        self.is_bad = False
        """It failed in a way in which another DC may not."""
        self.has_answered = False
        """A question was answered on this line."""
        self._patience = math.ceil(settings.receive_timeout)
        self._connection, self.address = open_line(settings, dc, resolve)

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
        return self._read(dn, condition, attributes)

    def read_each(self, dns: Sequence[str], attribute: str) -> list[Entry | None]:
        """Read one attribute of many objects, all asked for at once. ReadFailed.

        None where there is no such object. One bad answer is that of all of them.
        """
        return self._asked([partial(_read_of, dn, attribute) for dn in dns])

    def search(self, base: str, condition: str, *attributes: str) -> list[Entry]:
        """Return what is found below `base`, at most two objects. ReadFailed."""
        return self._search(base, condition, attributes)

    def sample(self, base: str, condition: str, *attributes: str) -> list[Entry]:
        """Return what is found below `base`, at most `SAMPLE` objects. ReadFailed."""
        return self._search(base, condition, attributes, most=SAMPLE)

    def guard(
        self, dn: str, *attributes: str, condition: str = _ANYTHING
    ) -> Entry | None:
        """Read one object with the owner and DACL of its descriptor. ReadFailed.

        Unless told to leave out the SACL (MS-ADTS 3.1.1.3.4.1.11), a DC leaves out the
        whole descriptor for those who may not read that.
        """
        wanted = ("nTSecurityDescriptor", *attributes)
        return self._read(dn, condition, wanted, descriptor_control.ENCODED)

    def guards(
        self, base: str, condition: str, *attributes: str, most: int
    ) -> list[Entry]:
        """Return what is found below `base`, at most so many, each with its descriptor.

        As `guard`. ReadFailed.
        """
        wanted = ("nTSecurityDescriptor", *attributes)
        return self._search(
            base, condition, wanted, most=most, controls=descriptor_control.for_ldap3()
        )

    def every_guard(
        self, base: str, condition: str, *attributes: str
    ) -> Iterator[Entry]:
        """Yield all that is found below `base`, page by page. ReadFailed."""
        wanted = ("nTSecurityDescriptor", *attributes)
        cookie: bytes | None = None
        while True:
            yield from self._search(
                base,
                condition,
                wanted,
                most=PAGE,
                controls=descriptor_control.for_ldap3(),
                cookie=cookie,
                total=0,
            )
            cookie = self._next_page()
            if not cookie:
                return

    def certificate_expires(self) -> float:
        """Return the end of the DC's certificate, seconds since 1970 UTC."""
        shown = self._connection.socket.socket.getpeercert()
        return float(ssl.cert_time_to_seconds(shown["notAfter"]))

    def certificate(self) -> bytes:
        """Return the DC's certificate (DER)."""
        shown: bytes = self._connection.socket.socket.getpeercert(binary_form=True)
        return shown

    def has_news(self) -> bool:
        """Say whether something came that nobody asked for: as when it is closed."""
        line: ssl.SSLSocket = self._connection.socket.socket
        try:
            if line.pending():
                return True
            heard = select.poll()
            heard.register(line, select.POLLIN)
            return bool(heard.poll(0))
        except (OSError, ValueError):
            return True

    def answers_within(self, seconds: float) -> bool:
        """Say whether a small question is answered in time; if not, only `close`."""
        with self._connection.socket.within(seconds):
            try:
                return self.read("", _ANYTHING, "currentTime") is not None
            except ReadFailed:
                return False

    def close(self) -> None:
        """Let go of the line. Never raises; safe to call twice."""
        let_go(self._connection)

    # --- inside ---------------------------------------------------------------

    def _read(
        self,
        dn: str,
        condition: str,
        attributes: tuple[str, ...],
        controls: bytes = b"",
    ) -> Entry | None:
        """Read one object; None if there is none, or not such. ReadFailed."""

        def request(number: int) -> bytearray:
            wanted = many_reads.encoded(condition)
            return many_reads.request(
                number, dn, *attributes, condition=wanted, controls=controls
            )

        return self._asked([request])[0]

    def _asked(
        self, requests: Sequence[Callable[[int], bytearray]]
    ) -> list[Entry | None]:
        """Ask all at once, each under a number of its own. ReadFailed."""
        numbers = [self._connection.server.next_message_id() for _ in requests]
        line = self._connection.socket
        try:
            with _line_broken():
                encoded = (
                    it(number) for it, number in zip(requests, numbers, strict=True)
                )
                line.sendall(b"".join(encoded))
                answered = many_reads.receive(line, numbers)
        except LineBroken as error:
            raise self._unanswered(error) from error
        for found in answered.values():
            self._judge(found.result, found.message)
        return [answered[number].entry for number in numbers]

    def _next_page(self) -> bytes:
        """Return by what the next page is asked for; empty: there is none."""
        controls = self._connection.result.get("controls") or {}
        page = controls.get(_PAGED, {}).get("value", {})
        cookie: bytes = page.get("cookie") or b""
        return cookie

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
        except LineBroken:
            self.is_bad = True
            raise
        finally:
            ber.wipe(request)
        token = answer.get("saslCreds") or b""
        self._heard(answer["result"], answer["message"])
        return Answer(answer["result"], answer["message"], token)

    def _heard(self, result: int, message: str) -> None:
        """Note an answer: in the log what is not a yes, and whether the DC is ill."""
        if result in codes.NOT_NOW:
            self.is_bad = True
        if result not in codes.WELL:
            told = codes.told(result, message)
            _log.warning(
                "directory.answered dc=%s result=%s hex=%s said=%s",
                *(self.dc, told["result"], told["hex"], told["said"]),
            )

    def _search(
        self,
        base: str,
        condition: str,
        attributes: tuple[str, ...],
        *,
        most: int = 2,
        controls: Sequence[object] | None = None,
        cookie: bytes | None = None,
        total: int | None = None,
    ) -> list[Entry]:
        """Search below, one page of at most `most`: some servers know no other limit.

        A page that is not asked for is never sent. `total`: how many are wanted of all
        pages together, 0 for all of them.
        """
        try:
            with _line_broken():
                self._connection.search(
                    base,
                    condition,
                    SUBTREE,
                    attributes=attributes,
                    size_limit=most if total is None else total,
                    # Servers count whole seconds: one more than we wait.
                    time_limit=self._patience + 1,
                    paged_size=most,
                    paged_cookie=cookie,
                    controls=controls,
                )
                result = self._connection.result["result"]
                message = self._connection.result["message"]
                entries: list[Entry] = [
                    entry["raw_attributes"]
                    for entry in self._connection.response or ()
                    if entry["type"] == "searchResEntry"
                ]
        except LineBroken as error:
            raise self._unanswered(error) from error
        self._judge(result, message)
        return entries[:most]

    def _unanswered(self, error: LineBroken) -> ReadFailed:
        self.is_bad = True
        garbled = error.why is WhyUnreachable.MALFORMED
        reason = "malformed" if garbled else "no_answer"
        return ReadFailed(dc=self.dc, reason=reason)

    def _judge(self, result: int, message: str) -> None:
        """Take an answer to a search for one, or say why it is none. ReadFailed."""
        self._heard(result, message)
        if result == codes.NO_SUCH_OBJECT:
            return
        if result not in (codes.SUCCESS, codes.SIZE_LIMIT_EXCEEDED):
            reason = "busy" if result in codes.NOT_NOW else "refused"
            raise ReadFailed(dc=self.dc, reason=reason, **codes.told(result, message))
        self.has_answered = True


@contextlib.contextmanager
def _line_broken() -> Iterator[None]:
    """Turn whatever ldap3 raises into LineBroken.

    It decodes what a server sent: garbage can come out as any exception.
    """
    try:
        yield
    except Exception as error:
        raise LineBroken(why_broken(error)) from error
