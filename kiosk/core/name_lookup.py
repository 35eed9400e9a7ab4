"""From a name to addresses, within a limit: the system's resolver has none of its own.

It may try several name servers for many seconds each, and cannot be interrupted. So it
is asked on a thread that nobody waits for longer than they want; who asks for a name
that is being looked up already waits for the same answer.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence

from kiosk.core.workers import PendingJob

_asked: dict[str, PendingJob[tuple[str, ...]]] = {}
_lock = threading.Lock()


def by_system(host: str, seconds: float) -> Sequence[str]:
    """Ask the system: hosts file, DNS, whatever it is told to ask.

    socket.gaierror: nobody knows it. TimeoutError. UnicodeError: it cannot be a name.
    """
    if is_address(host):
        return (host,)
    pending = _lookup(host)
    if not pending.wait(seconds):
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
    """Begin a lookup, or join one that is under way."""
    with _lock:
        if (pending := _asked.get(host)) is not None:
            return pending
        pending = _asked[host] = PendingJob()
    threading.Thread(
        target=pending.run, args=(lambda: _ask(host),), name="resolve", daemon=True
    ).start()
    return pending


def _ask(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    finally:  # before anybody hears of it, so that nobody joins what is over
        with _lock:
            del _asked[host]
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
