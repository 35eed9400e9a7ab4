"""`kiosk demo`: the kiosk with simulated cards, in this terminal."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import fail, new_app
from kiosk.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk.simulation.demo import Demo
    from kiosk.simulation.fleet.loopback import LoopbackFleet
    from kiosk.tui.played import PlayedApp

app = new_app("Try the kiosk with simulated cards, in this terminal.")


@app.command()
def demo(
    *,
    desk: Annotated[
        bool, typer.Option("--desk", help="The operators' terminal instead.")
    ] = False,
    fleet: Annotated[
        bool,
        typer.Option(
            "--fleet",
            help="Two kiosks and a desk of one authority, over HTTPS on this machine.",
        ),
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
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if fleet:
        raise typer.Exit(_fleet(is_at_desk=desk) if is_terminal else _fleet_told())
    if not is_terminal:
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
    from kiosk.tui import collector

    collector.rest()
    from kiosk.tui import seats

    known: Demo | None = None

    def world() -> Demo:
        from kiosk.simulation.demo import Demo

        nonlocal known
        known = known or Demo()
        return known

    def kiosk(now: Callable[[], float]) -> PlayedApp:
        from kiosk.simulation.face_settings import IN_EVERY_LANGUAGE
        from kiosk.tui.app import KioskApp, KioskParts

        def build() -> KioskParts:
            deck = world()
            return KioskParts(deck.world, deck)

        return KioskApp(
            IN_EVERY_LANGUAGE, build, deck=known, now=now, awake=collector.wake
        )

    def desk(now: Callable[[], float]) -> PlayedApp:
        """In the language that is spoken; whoever never goes there waits for none."""
        from kiosk.faces import wording
        from kiosk.simulation.demo_desk import opened_beside
        from kiosk.tui.desk_app import DeskApp

        office = opened_beside(world(), wording.spoken())
        return DeskApp(office, deck=office, now=now, awake=collector.wake)

    return seats.play((kiosk, desk), first=1 if is_at_desk else 0)


def _fleet(*, is_at_desk: bool) -> int:
    """Play two kiosks and a desk of one fleet, in turn. NoServiceLibrary."""
    from kiosk.tui import collector
    from kiosk.tui.environment import harden

    harden()
    collector.rest()
    from kiosk.simulation.demo import Demo
    from kiosk.simulation.demo_desk import DemoDesk
    from kiosk.simulation.fleet.demo import FleetKiosk
    from kiosk.tui import seats
    from kiosk.tui.app import KioskApp, KioskParts
    from kiosk.tui.desk_app import DeskApp

    with _loopback() as fleet:
        demo = Demo()

        def kiosk(name: str, now: Callable[[], float]) -> PlayedApp:
            station = FleetKiosk(demo, name, partial(fleet.reach, demo.world.parts))
            parts = KioskParts(station, station)
            return KioskApp(
                station.settings,
                lambda: parts,
                deck=station,
                now=now,
                awake=collector.wake,
            )

        def desk(now: Callable[[], float]) -> PlayedApp:
            office = DemoDesk(demo)
            return DeskApp(office, deck=office, now=now, awake=collector.wake)

        return seats.play(
            (partial(kiosk, "kiosk-1"), desk, partial(kiosk, "kiosk-2")),
            first=1 if is_at_desk else 0,
        )


def _fleet_told() -> int:
    """Without a terminal: play the tour, each station over HTTPS. NoServiceLibrary."""
    with _loopback() as fleet:
        from kiosk.simulation.rehearsal.report import Format, render
        from kiosk.simulation.rehearsal.runner import run
        from kiosk.simulation.rehearsal.scenario import shipped

        outcomes = [run(path, reach=fleet.reach) for path in shipped()]
        typer.echo(render(outcomes, Format.TEXT))
        typer.echo(
            f"Asked over HTTPS at {fleet.address}: {fleet.asked:,} signed requests."
            " In a terminal this is two kiosks and a desk."
        )
    return 0 if all(each.holds for each in outcomes) else int(ExitCode.FAILED)


def _loopback() -> AbstractContextManager[LoopbackFleet]:
    """Return an authority on this machine's loopback. NoServiceLibrary."""
    from kiosk.bootstrap import NoServiceLibrary

    try:
        from kiosk.simulation.fleet.loopback import loopback_fleet
    except ImportError as error:
        raise NoServiceLibrary from error
    return loopback_fleet()


def _kiosk(record: Path | None, *, is_plain: bool) -> int:
    from kiosk.simulation.demo import Demo

    if is_plain:
        from kiosk.plain.controller import run
    else:
        from kiosk.tui import collector

        collector.rest()
        from kiosk.tui.app import run

    deck = Demo()
    if record is None:
        return run(deck.world, deck=deck)
    from kiosk.simulation.rehearsal.recorder import Recorder

    recorder = Recorder(deck)
    ended = run(recorder, deck=recorder)
    recorder.write(record)
    return ended
