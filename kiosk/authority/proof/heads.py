"""The newest checkpoint, and where it is kept out of this machine's reach.

Who is root here can sign anything; what is on paper, in a mailbox or in another
machine's log was signed before. A checkpoint holds names of stations and hashes, and
no secret.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

from kiosk.core.errors import KioskError, reason_of
from kiosk.core.site_command import refusal_of
from storage.checkpoints import LANE
from storage.records import AuditEvent
from storage.registry import Registry

_LOG_SECONDS = 1.0
_NOTICE_OF_AUTHPRIV = 85
"""RFC 5424: facility 10, severity 5."""


class NoCheckpoint(KioskError):
    """Nothing was signed yet."""

    code = "evidence.no_checkpoint"


class NotSent(KioskError):
    """It did not get there: `place`, `reason`."""

    code = "evidence.not_sent"


def newest(registry: Registry) -> AuditEvent:
    """Return the newest checkpoint's link: by its number, since a clock that was ahead
    dates earlier ones later. NoCheckpoint, RegistryError.
    """
    found = registry.read(lambda view: view.last_event(LANE))
    if found is None:
        raise NoCheckpoint
    return found


def short(event: AuditEvent) -> str:
    """Return what names a checkpoint in one line: its number and its link's hash."""
    return f"{event.seq}:{event.hash}"


def hand_over(command: Sequence[str], note: str) -> None:
    """Give a note to the site's command, on its standard input. NotSent."""
    if reason := refusal_of(command, note):
        raise NotSent(place=command[0], reason=reason)


def log_elsewhere(syslog: str, event: AuditEvent) -> None:
    """Send a checkpoint's short form to a syslog. NotSent.

    `syslog`: its socket's path, or ADDRESS:PORT (UDP). Blocks at most a second.
    """
    said = f"checkpoint {short(event)}"
    is_local = syslog.startswith("/")
    family = socket.AF_UNIX if is_local else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.settimeout(_LOG_SECONDS)
            if is_local:
                line.sendto(_local(said), syslog)
            else:
                host, _, port = syslog.rpartition(":")
                line.sendto(_remote(said), (host, int(port)))
    except OSError as error:
        reason = reason_of(error)
        raise NotSent(place=syslog, reason=reason) from error


def _local(said: str) -> bytes:
    return f"<{_NOTICE_OF_AUTHPRIV}>pin-kiosk: {said}".encode()


def _remote(said: str) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    host = socket.gethostname()
    return f"<{_NOTICE_OF_AUTHPRIV}>1 {now} {host} pin-kiosk - - - {said}".encode()
