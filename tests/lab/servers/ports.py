"""Ports for servers that are told theirs before they listen.

Not from where the system takes the ports of whoever connects somewhere: between the
choice and the start, one of those would have it now and then.
"""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 10_000
_TRIES = 1000
_given: set[int] = set()


def free_port() -> int:
    """Return a port of loopback that nobody listens on, each one once."""
    end = int(_RANGE.read_text().split()[0])
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(end - _FIRST)
        if port in _given:
            continue
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _given.add(port)
            return port
    raise OSError(f"no free port on 127.0.0.1 from {_FIRST} to {end} in {_TRIES} tries")
