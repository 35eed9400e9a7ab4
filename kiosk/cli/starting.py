"""How a machine becomes a kiosk: its units, and the first console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kiosk.cli.asking import agree, say
from kiosk.config.location import NAME, SYSTEM
from kiosk.setup import units
from kiosk.setup.ownership import as_oneself

_COMMANDS = (
    ("systemctl", "daemon-reload"),
    ("systemctl", "disable", "--now", "getty@tty1.service"),
    ("systemctl", "enable", "--now", "pin-kiosk.service", "pin-kiosk-backup.timer"),
)


def offer(user: str) -> None:
    """Offer to start the kiosk where that can be done; else say how. NotInstalled."""
    if os.getuid() != 0 or not Path("/run/systemd/system").is_dir():
        say("guided.start_yourself", user=user)
        return
    if not agree("guided.start", default=False):
        say("guided.start_yourself", user=user)
        return
    with as_oneself():
        units.write(units.units(_program(), SYSTEM / NAME), Path("/"))
        for command in _COMMANDS:
            print("  " + " ".join(command), flush=True)
            done = subprocess.run(command, check=False)  # noqa: S603 - nothing is told
            if done.returncode:
                say("guided.start_failed", command=" ".join(command))
                return
    say("guided.started")


def _program() -> Path:
    """Return how the program is called by its units."""
    for place in (Path("/usr/bin/kiosk"), Path("/usr/local/bin/kiosk")):
        if place.exists():
            return place
    return Path(sys.prefix, "bin", "kiosk")
