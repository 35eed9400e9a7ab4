"""`kiosk audit`: verify and export the evidence."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, fail, new_app

if TYPE_CHECKING:
    from storage.records import AuditEvent

app = new_app("Verify and export the evidence.")


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An exported file; else the registry.")
    ] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Verify the chains, and that every write came after its own signature."""
    from kiosk.authority.evidence import unproven_writes
    from kiosk.texts import sentence
    from storage import audit

    events = list(_events(file, config))
    verdict = audit.verify(events)
    if not verdict.is_sound:
        typer.echo(
            f"The chain of {verdict.station} is {verdict.problem} at event"
            f" {verdict.seq}. {verdict.events} events before it are sound.",
            err=True,
        )
        raise fail()
    findings = unproven_writes(events)
    for finding in findings:
        said = sentence(finding.reason)
        typer.echo(f"{finding.station} event {finding.seq}: {said}", err=True)
    if findings:
        raise fail()
    stations = len({event.station for event in events})
    writes = sum(event.kind == "operation.writing" for event in events)
    typer.echo(
        f"{verdict.events} events of {stations} stations are sound;"
        f" each of {writes} password writes came after its own authorisation."
    )


@app.command()
def export(
    *,
    config: ConfigOption = None,
    station: Annotated[
        str | None, typer.Option(help="Only this station's chain.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write it there.")
    ] = None,
) -> None:
    """Write the evidence as JSON Lines, which `kiosk audit verify FILE` checks."""
    from kiosk.bootstrap import open_registry
    from storage import audit

    registry = open_registry(config)
    try:
        events = registry.audit_events(station=station)
        if output is None:
            audit.export(events, sys.stdout.buffer)
            return
        with output.open("wb") as stream:
            count = audit.export(events, stream)
        typer.echo(f"{count} events written to {output}.")
    finally:
        registry.close()


def _events(file: Path | None, config: Path | None) -> Iterable[AuditEvent]:
    from kiosk.bootstrap import open_registry
    from storage import audit

    if file is not None:
        try:
            with file.open("rb") as stream:
                yield from audit.read(stream)
        except audit.NotAnExport as error:
            raise typer.BadParameter(
                f"{file}: line {error.line} is no audit event", param_hint="FILE"
            ) from error
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise typer.BadParameter(f"{file}: {problem}", param_hint="FILE") from error
        return
    registry = open_registry(config)
    try:
        yield from registry.audit_events()
    finally:
        registry.close()
