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
    from kiosk.authority.proof.evidence import unproven_writes
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message
    from kiosk.texts import sentence
    from storage import audit

    events = list(_events(file, config))
    verdict = audit.verify(events)
    if not verdict.is_sound:
        told = {"station": verdict.station, "problem": verdict.problem}
        counts = {"seq": verdict.seq, "events": verdict.events}
        typer.echo(words(Message("evidence.broken", {**told, **counts})), err=True)
        raise fail()
    findings = unproven_writes(events)
    for finding in findings:
        said = sentence(finding.reason)
        typer.echo(f"{finding.station} event {finding.seq}: {said}", err=True)
    if findings:
        raise fail()
    sums: dict[str, str | int] = {
        "events": verdict.events,
        "stations": len({event.station for event in events}),
        "writes": sum(event.kind == "operation.writing" for event in events),
    }
    typer.echo(words(Message("evidence.sound", sums)))


@app.command()
def export(
    *,
    config: ConfigOption = None,
    station: Annotated[
        str | None, typer.Option(help="Only this station's chain.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new file; else print it.")
    ] = None,
) -> None:
    """Write the evidence as JSON Lines, which `kiosk audit verify FILE` checks.

    For auditors; each export is itself noted in the evidence.
    """
    from kiosk.authority.office import evidence_export as leaving
    from kiosk.bootstrap import open_desk, operators_config
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message

    with open_desk(operators_config(config)) as desk:
        if output is None:
            leaving.to_stream(desk, sys.stdout.buffer, station=station)
            return
        count = leaving.to_file(desk, output, station=station)
    told: dict[str, str | int] = {"file": str(output), "count": count}
    typer.echo(words(Message("evidence.written", told)))


def _events(file: Path | None, config: Path | None) -> Iterable[AuditEvent]:
    from kiosk.bootstrap import operators_config, registry_of
    from kiosk.core.clock import SystemClock
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
    registry = registry_of(operators_config(config), SystemClock())
    try:
        yield from registry.audit_events()
    finally:
        registry.close()
