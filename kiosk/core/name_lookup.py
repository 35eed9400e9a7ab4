"""From a name to addresses, within a limit: the system's resolver has none of its own.

It may try several name servers for many seconds each, and cannot be interrupted. So it
is asked on a thread that nobody waits for longer than they want; who asks for a name
that is being looked up already waits for the same answer. One that comes when somebody
has gone without it is kept for a short while: whoever asks again has it at once, where
a dead name server makes every answer later than anybody waits.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from kiosk.core.workers import PendingJob

LATE_SECONDS = 30.0
"""How long an answer is kept that came after somebody had gone."""
MOST_LATE = 64
"""Answers that are kept so; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class _Late:
    """A lookup that is over, and until when (monotonic) it is believed."""

    answered: PendingJob[tuple[str, ...]]
    until: float


_asked: dict[str, PendingJob[tuple[str, ...]]] = {}
_left: set[str] = set()
"""Those of `_asked` that somebody has gone without."""
_late: dict[str, _Late] = {}
"""The oldest first."""
_lock = threading.Lock()
"""Held to read or change any of these."""


def by_system(host: str, seconds: float) -> Sequence[str]:
    """Ask the system: hosts file, DNS, whatever it is told to ask.

    socket.gaierror: nobody knows it. TimeoutError. UnicodeError: it cannot be a name.
    """
    if is_address(host):
        return (host,)
    pending = _lookup(host)
    if not pending.wait(seconds) and _is_left(host, pending):
        raise TimeoutError("the name was not resolved in time")
    return pending.result()


def is_address(host: str) -> bool:
    """Say whether this is an address already."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _lookup(host: str) -> PendingJob[tuple[str, ...]]:
    """Begin a lookup, or join one that is under way or was answered late."""
    with _lock:
        if (late := _late.get(host)) is not None and monotonic() < late.until:
            return late.answered
        if (pending := _asked.get(host)) is not None:
            return pending
        pending = _asked[host] = PendingJob()
    threading.Thread(
        target=pending.run, args=(lambda: _ask(host),), name="resolve", daemon=True
    ).start()
    return pending


def _is_left(host: str, pending: PendingJob[tuple[str, ...]]) -> bool:
    """Go without its answer, which is kept when it comes. False: it has just come."""
    with _lock:
        if _asked.get(host) is not pending:
            return False
        _left.add(host)
        return True


def _ask(host: str) -> tuple[str, ...]:
    is_answered = False
    try:
        found = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        is_answered = True
    finally:  # before anybody hears of it, so that nobody joins what is over
        with _lock:
            pending = _asked.pop(host)
            if host in _left and is_answered:
                _keep(host, pending)
            _left.discard(host)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _keep(host: str, answered: PendingJob[tuple[str, ...]]) -> None:
    """Under the lock."""
    _late.pop(host, None)
    while len(_late) >= MOST_LATE:
        del _late[next(iter(_late))]
    _late[host] = _Late(answered, monotonic() + LATE_SECONDS)
