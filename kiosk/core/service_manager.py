"""What systemd is told of a service: sd_notify(3) in a few lines."""

from __future__ import annotations

import os
import socket


def notify(*states: str) -> None:
    """Tell the service manager, e.g. `READY=1`; nothing where none listens."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    if place.startswith("@"):
        place = "\0" + place[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(states).encode(), place)
    except OSError:
        return  # what it would have done about it, it does without


def watchdog_seconds() -> float | None:
    """Return how often the service manager wants to hear `WATCHDOG=1`; None: never."""
    told = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(told) / 1e6 if told.isdigit() and int(told) else None
