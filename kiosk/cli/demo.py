"""`kiosk demo`: the kiosk with simulated cards, in this terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import fail, new_app

app = new_app("Try the kiosk with simulated cards, in this terminal.")


@app.command()
def demo(
    *,
    desk: Annotated[
        bool, typer.Option("--desk", help="The operators' terminal instead.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="The self-service kiosk, line by line.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the session down as a scenario for `kiosk rehearse`.",
        ),
    ] = None,
) -> None:
    """Try the kiosk with simulated cards, in this terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        typer.echo(
            "The demo needs a terminal. Without one, see it told:"
            " kiosk rehearse --tour",
            err=True,
        )
        raise fail()
    from kiosk.tui.environment import harden

    harden()
    if not plain and record is None:
        raise typer.Exit(_both_sides(is_at_desk=desk))
    raise typer.Exit(_kiosk(record, is_plain=plain))


def _both_sides(*, is_at_desk: bool) -> int:
    """Play kiosk and desk of one world, in turn, until the end is asked for."""
    from kiosk.simulation.demo import Demo
    from kiosk.simulation.demo_desk import DemoDesk
    from kiosk.tui import app, desk_app

    kiosk = Demo()
    office = DemoDesk(kiosk) if is_at_desk else None
    while True:
        kiosk.has_crossed = False
        if office is not None:
            office.has_crossed = False
            ended = desk_app.run(office, deck=office)
            if not office.has_crossed:
                return ended
        ended = app.run(kiosk.world, deck=kiosk)
        if not kiosk.has_crossed:
            return ended
        office = office or DemoDesk(kiosk)


def _kiosk(record: Path | None, *, is_plain: bool) -> int:
    from kiosk.simulation.demo import Demo

    if is_plain:
        from kiosk.plain.controller import run
    else:
        from kiosk.tui.app import run

    deck = Demo()
    if record is None:
        return run(deck.world, deck=deck)
    from kiosk.simulation.rehearsal.recorder import Recorder

    recorder = Recorder(deck)
    ended = run(recorder, deck=recorder)
    recorder.write(record)
    return ended
