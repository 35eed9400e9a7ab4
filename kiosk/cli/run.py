"""`kiosk run`: the kiosk of this station."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app
from kiosk.config import AnyStation, load_any
from kiosk.config.sections.station import LogForm, StationRole
from kiosk.core.errors import KioskError

if TYPE_CHECKING:
    from kiosk.bootstrap.looks import Look
    from kiosk.cards.trace import Trace
    from kiosk.core.figures import Figures

app = new_app("Run the kiosk of this station.")


class NotATerminal(KioskError):
    """Input or output is no terminal."""

    code = "cli.needs_terminal"


@app.command()
def run(
    config: ConfigOption = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace",
            metavar="FILE",
            help="Write down every APDU there (made 0600), every secret byte masked.",
        ),
    ] = None,
) -> None:
    """Run the kiosk of this station on this terminal, until it is stopped.

    It cannot be left by a key: send SIGTERM, or stop its service.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotATerminal
    from kiosk.core.hardening import harden_process
    from kiosk.core.logs import set_up
    from kiosk.tui import collector
    from kiosk.tui.environment import harden as harden_environment

    harden_environment()
    collector.rest()
    harden_process()
    settings = load_any(config)
    set_up(settings.log.file, as_json=settings.log.form is LogForm.JSON)
    from kiosk.bootstrap import figures_of
    from kiosk.cli.card_trace import trace_if

    with trace_if(trace) as written, figures_of(settings.metrics) as figures:
        raise typer.Exit(_face(settings, written, figures))


def _face(settings: AnyStation, trace: Trace | None, figures: Figures) -> int:
    """Show what this station's role needs until it ends."""
    from kiosk import bootstrap

    if settings.station.role is StationRole.SELF_SERVICE:
        from kiosk.tui.app import KioskParts, run_built

        def build() -> KioskParts:
            look = look_of(settings)
            return KioskParts(bootstrap.build_station(settings, trace, figures, look))

        return run_built(bootstrap.face_settings_of(settings), build)
    from kiosk.tui.desk_app import run as run_desk

    look = look_of(settings)
    return run_desk(bootstrap.build_desk(settings, trace, figures, look))


def look_of(settings: AnyStation) -> Look:
    """Return what a station of a fleet tells its authority of itself."""
    from kiosk.bootstrap.looks import nothing_seen
    from kiosk.config import FleetStation

    if not isinstance(settings, FleetStation):
        return nothing_seen
    from kiosk.doctor.fleet_station import quick_look

    return partial(quick_look, settings)
