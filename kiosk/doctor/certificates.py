"""Where the certificates of new cards come from: there, reachable, and lasting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from kiosk.cards.values import KeySlot
from kiosk.certificates.est import EstClient
from kiosk.core.clock import Clock
from kiosk.core.untrusted_text import visible
from kiosk.doctor import Finding, fail, ok, warn

PART = "certificates"
_DAY = 86_400


def authority(own: x509.Certificate, days: int, clock: Clock) -> Iterator[Finding]:
    """Our own authority must last as long as the certificates that it makes (`days`).

    A card whose certificate ends before its time is a card issued too often.
    """
    left = int((own.not_valid_after_utc.timestamp() - clock.now()) // _DAY)
    if left < 0:
        yield fail(PART, "authority_over")
    elif left < days:
        yield warn(PART, "authority_short", days=left)
    else:
        yield ok(PART, "authority_lasts", days=left)


def folder(place: Path) -> Iterator[Finding]:
    """The folder for requests must be there, and ours to write."""
    if place.is_dir() and os.access(place, os.R_OK | os.W_OK | os.X_OK):
        waiting = len(list(place.glob("*.csr")))
        yield ok(PART, "folder_writable", folder=str(place), count=waiting)
    else:
        yield fail(PART, "folder_missing", folder=str(place))


def server(client: EstClient) -> Iterator[Finding]:
    """The EST server must answer, and tell whose certificates it gives. SourceError."""
    found = client.authorities(KeySlot.AUTHENTICATION)
    names = ", ".join(visible(each.subject.rfc4514_string()) for each in found)
    yield ok(PART, "est_answers", names=names)
