"""`kiosk plain`: the self-service kiosk of this station, line by line."""

from __future__ import annotations

import sys

import typer

from kiosk.cli.frame import ConfigOption, new_app
from kiosk.cli.run import NotATerminal, look_of
from kiosk.config import load_any
from kiosk.config.sections.station import LogForm, StationRole
from kiosk.core.errors import KioskError

app = new_app("Run the kiosk line by line.")


class OnlySelfService(KioskError):
    """An operators' station has screens only: `role`."""

    code = "cli.plain_self_service"


@app.command()
def plain(config: ConfigOption = None) -> None:
    """Run the kiosk of this station line by line, until it is stopped.

    The same visit as `kiosk run`, in plain sentences and numbered questions: for
    screen readers, Braille lines and serial consoles.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotATerminal
    from kiosk.core.hardening import harden_process
    from kiosk.core.logs import set_up

    harden_process()
    settings = load_any(config)
    if settings.station.role is not StationRole.SELF_SERVICE:
        raise OnlySelfService(role=settings.station.role)
    set_up(settings.log.file, as_json=settings.log.form is LogForm.JSON)
    from kiosk import bootstrap
    from kiosk.plain.controller import run

    with bootstrap.figures_of(settings.metrics) as figures:
        look = look_of(settings)
        station = bootstrap.build_station(settings, figures=figures, look=look)
        raise typer.Exit(run(station))
