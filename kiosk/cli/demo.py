"""`kiosk demo`: the kiosk with simulated cards, in this terminal."""

from __future__ import annotations

import sys

import typer

from kiosk.cli.frame import fail, new_app

app = new_app("Try the kiosk with simulated cards, in this terminal.")


@app.command()
def demo() -> None:
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
    from kiosk.rehearsal.demo import Demo
    from kiosk.tui.app import run

    deck = Demo()
    raise typer.Exit(run(deck.world, deck=deck))
