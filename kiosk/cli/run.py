"""`kiosk run`: the kiosk of this station."""

from __future__ import annotations

import sys

import typer

from kiosk.cli.frame import ConfigOption, new_app
from kiosk.config import load
from kiosk.errors import KioskError

app = new_app("Run the kiosk of this station.")


class NotATerminal(KioskError):
    """Input or output is no terminal."""

    code = "cli.needs_terminal"


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the kiosk of this station on this terminal, until it is stopped.

    It cannot be left by a key: send SIGTERM, or stop its service.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotATerminal
    from kiosk.hardening import harden_process
    from kiosk.logs import set_up
    from kiosk.tui.environment import harden as harden_environment

    harden_environment()
    harden_process()
    settings = load(config)
    set_up(settings.log.file)
    from kiosk.bootstrap import build_station
    from kiosk.tui.app import run as run_screens

    raise typer.Exit(run_screens(build_station(settings)))
