"""How a machine becomes a kiosk: its units, and the first console."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from kiosk.cli.asking import agree, say
from kiosk.config.location import NAME, SYSTEM
from kiosk.setup import units
from kiosk.setup.ownership import as_oneself

_SYSTEMS = SYSTEM / NAME
_RUNNING = Path("/run/systemd/system")
"""It is there where systemd has started the machine."""
_COMMANDS = (
    ("systemctl", "daemon-reload"),
    ("systemctl", "disable", "--now", "getty@tty1.service"),
    ("systemctl", "enable", "--now", "pin-kiosk.service", "pin-kiosk-backup.timer"),
)


def offer(user: str, config: Path) -> None:
    """Offer to start the kiosk where that can be done; else say how.

    Units are of the machine's own station, whose configuration is the system's.
    NotInstalled.
    """
    can_start = config == _SYSTEMS and os.getuid() == 0 and _RUNNING.is_dir()
    if not can_start or not agree("guided.start", default=False):
        say("guided.start_yourself", user=user, named=naming(config))
        return
    with as_oneself():
        units.write(units.units(_program(), config), Path("/"))
        for command in _COMMANDS:
            print("  " + " ".join(command), flush=True)
            done = subprocess.run(command, check=False)  # noqa: S603 - nothing is told
            if done.returncode:
                say("guided.start_failed", command=" ".join(command))
                return
    say("guided.started")


def naming(config: Path) -> str:
    """Return what a command needs to find that configuration; empty: it does so."""
    return "" if config == _SYSTEMS else f" --config {shlex.quote(str(config))}"


def _program() -> Path:
    """Return how the program is called by its units."""
    for place in (Path("/usr/bin/kiosk"), Path("/usr/local/bin/kiosk")):
        if place.exists():
            return place
    return Path(sys.prefix, "bin", "kiosk")
