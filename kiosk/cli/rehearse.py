"""`kiosk rehearse`: run scenario files without a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import fail, new_app

if TYPE_CHECKING:
    from kiosk.rehearsal.grounds import Domain, Readers

app = new_app("Run scenario files with simulated cards; exit 0 only if all hold.")


@app.command()
def rehearse(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Scenario files.")
    ] = None,
    *,
    tour: Annotated[
        bool, typer.Option("--tour", help="Run the scenarios that are shipped.")
    ] = False,
    report: Annotated[
        str, typer.Option(metavar="FORMAT", help="text, json or junit.")
    ] = "text",
    cards: Annotated[
        str,
        typer.Option(
            metavar="WHERE",
            help="simulated, or pcsc: in the virtual reader of a running pcscd.",
        ),
    ] = "simulated",
    vpcd: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the virtual reader is.")
    ] = "127.0.0.1:35963",
    directory: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG",
            help="A laboratory's real domain, from this configuration: the accounts"
            " that scenarios name get new passwords there.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write it there."),
    ] = None,
) -> None:
    """Run scenario files with simulated cards; exit 0 only if all hold."""
    from kiosk.rehearsal.report import Format, render
    from kiosk.rehearsal.runner import run
    from kiosk.rehearsal.scenario import shipped

    if report not in tuple(Format):
        raise typer.BadParameter("text, json or junit", param_hint="--report")
    chosen = [*(shipped() if tour else ()), *(files or ())]
    if not chosen:
        raise typer.BadParameter("name a scenario file, or --tour", param_hint="FILE")
    if cards not in ("simulated", "pcsc"):
        raise typer.BadParameter("simulated or pcsc", param_hint="--cards")
    readers = _virtual_hand(vpcd) if cards == "pcsc" else None
    domain = _laboratory(directory) if directory is not None else None
    try:
        outcomes = [run(path, readers, domain) for path in chosen]
    finally:
        if readers is not None:
            readers.stop()
    text = render(outcomes, Format(report))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, "utf-8")
    if not all(outcome.holds for outcome in outcomes):
        raise fail()


def _virtual_hand(place: str) -> Readers:
    """Return a hand at the virtual reader of a real pcscd."""
    from kiosk.cards.pcsc.hand import VirtualHand
    from kiosk.cards.vpcd import tcp

    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("HOST:PORT, e.g. 127.0.0.1:35963", param_hint="--vpcd")
    return VirtualHand(tcp(host, int(port)))


def _laboratory(config: Path) -> Domain:
    """Return the real domain that a configuration names."""
    from kiosk.bootstrap import directory_of
    from kiosk.config import load
    from kiosk.rehearsal.laboratory import LaboratoryDomain

    return LaboratoryDomain(directory_of(load(config)))
