"""From a name to addresses: whoever is asked, within a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Resolve = Callable[[str, float], Sequence[str]]
"""Turns a host into addresses, best first, within seconds (`name_lookup.by_system`).

socket.gaierror: nobody knows it. TimeoutError. UnicodeError: it cannot be a name.
"""


def always(address: str) -> Resolve:
    """Return what answers any question with one address: to meet the same DC again."""
    return lambda _host, _seconds: (address,)
