"""`kiosk rehearse`: run scenario files without a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import fail, new_app

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
    outcomes = [run(path) for path in chosen]
    text = render(outcomes, Format(report))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, "utf-8")
    if not all(outcome.holds for outcome in outcomes):
        raise fail()
