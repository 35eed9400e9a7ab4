"""All addresses of the authority: the next one is asked where one does not answer.

A question has its key in it, so it may be asked again whether it was heard or not: at
this address on a new connection, at the next one, and again until its time is over.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence

from kiosk.authority.client.line import (
    Address,
    HttpAnswer,
    Line,
    LineNotTrusted,
    NotAnswered,
)
from kiosk.authority.errors import AuthorityAway, AuthorityNotTrusted
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import Clock

Sign = Callable[[HttpRequest], Mapping[str, str]]
"""Returns what stands in the headers of a request besides, once it is signed."""

CALL_SECONDS = 5.0
"""For one answer of one address."""
STEP_SECONDS = 10.0
"""For one call at all addresses: as long as a card may be held."""
_PAUSE_SECONDS = 0.2
"""After every address was asked, before they are asked again."""
_NOT_NOW = frozenset({502, 503, 504})
"""Of a process that is ending or full, or of a balancer that has none: the next one may
take it."""

log = logging.getLogger(__name__)


class Lines:
    """Connections to every address, kept by each thread for itself. Any thread."""

    def __init__(
        self,
        addresses: Sequence[str],
        context: ssl.SSLContext,
        sign: Sign,
        clock: Clock,
    ) -> None:
        """`sign` is called on the thread that asks."""
        self._addresses = tuple(map(Address.of, addresses))
        self._context = context
        self._sign = sign
        self._clock = clock
        self._mine = threading.local()
        self._first = 0
        """The address that answered last: it is asked first."""

    def ask(
        self,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float = CALL_SECONDS,
        within: float = STEP_SECONDS,
    ) -> HttpAnswer:
        """POST until somebody answers; one address has `seconds`, all have `within`.

        AuthorityAway, AuthorityNotTrusted. The last answer that says "not now" is
        returned where no better one came in time.
        """
        until = self._clock.monotonic() + within
        refused: HttpAnswer | None = None
        while True:
            distrusted: list[str] = []
            for index in self._in_turn():
                try:
                    answer = self._tried(index, path, headers, body, seconds, until)
                except LineNotTrusted:
                    distrusted.append(self._addresses[index].authority)
                except NotAnswered:
                    continue
                else:
                    if answer.status not in _NOT_NOW:
                        self._first = index
                        return answer
                    refused = answer
            if len(distrusted) == len(self._addresses):
                break  # no certificate becomes another one while somebody waits
            if self._clock.monotonic() + _PAUSE_SECONDS >= until:
                break
            self._clock.sleep(_PAUSE_SECONDS)
        if refused is not None:
            return refused
        if distrusted:
            raise AuthorityNotTrusted(address=distrusted[0])
        raise AuthorityAway

    def close(self) -> None:
        """Let go of this thread's connections."""
        for line in self._lines():
            line.close()

    # --- inside -----------------------------------------------------------------

    def _in_turn(self) -> tuple[int, ...]:
        count = len(self._addresses)
        return tuple((self._first + each) % count for each in range(count))

    def _lines(self) -> list[Line]:
        if not hasattr(self._mine, "lines"):
            self._mine.lines = [Line(it, self._context) for it in self._addresses]
        return self._mine.lines  # type: ignore[no-any-return]  # threading.local

    def _tried(
        self,
        index: int,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        until: float,
    ) -> HttpAnswer:
        """Ask one address while there is time. NotAnswered, LineNotTrusted: logged."""
        left = until - self._clock.monotonic()
        if left <= 0:
            raise NotAnswered
        try:
            return self._at(index, path, headers, body, min(seconds, left), until)
        except LineNotTrusted as error:
            log.error("authority.not_trusted %s", error)
            raise
        except NotAnswered as error:
            log.warning(
                "authority.not_answered at=%s why=%s",
                self._addresses[index].authority,
                type(error.__cause__).__name__,
            )
            raise

    def _at(
        self,
        index: int,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        until: float,
    ) -> HttpAnswer:
        """Ask one address; once more where a kept connection was left meanwhile."""
        line = self._lines()[index]
        was_open = line.is_open
        try:
            return line.ask(
                "POST", path, self._signed(line, path, headers, body), body, seconds
            )
        except LineNotTrusted:
            raise
        except NotAnswered as error:
            left = until - self._clock.monotonic()
            if not was_open or left <= 0 or isinstance(error.__cause__, TimeoutError):
                raise
            return line.ask(
                "POST",
                path,
                self._signed(line, path, headers, body),
                body,
                min(seconds, left),
            )

    def _signed(
        self, line: Line, path: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        request = HttpRequest(
            method="POST",
            authority=line.address.authority.lower(),
            path=path,
            query="",
            headers=headers,
            body=body,
        )
        return {**headers, **self._sign(request)}
