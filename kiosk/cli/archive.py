"""`kiosk audit archive`: sealed evidence that a station need not have at hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, folders

if TYPE_CHECKING:
    from kiosk.config import Config
    from storage.segments import Segment
    from storage.tinydb_registry import TinyDbRegistry

ArchiveOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--archive",
        metavar="FOLDER",
        callback=folders,
        help="Where evidence was moved to: read it, too.",
    ),
]
_DAY = "%Y-%m-%d"


def archive(
    before: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="Move what is older than that day."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The archive.")],
    config: ConfigOption = None,
) -> None:
    """Move sealed evidence into a folder of another disk; the chains go on.

    `kiosk audit verify --archive FOLDER` verifies it with the rest. The station may
    go on working. What was interrupted goes on when the same is typed again.
    """
    from kiosk.authority.office.operators import login_name
    from kiosk.bootstrap import embedded_registry, must_be_there, operators_config
    from kiosk.setup.ownership import become_owner

    until, actor = _day(before), login_name()
    settings = operators_config(config)
    if settings.registry.postgresql:
        raise typer.BadParameter("the registry is a database: what it keeps is its own")
    must_be_there(settings)
    become_owner(settings.registry.path)
    store = embedded_registry(settings)
    try:
        moved = _move(settings, store, to.absolute(), until, actor)
    finally:
        store.close()
    _say(moved, to)


def _day(typed: str) -> float:
    """Return when a day begins here, which must have been."""
    try:
        begins = time.mktime(time.strptime(typed, _DAY))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{typed}: no day as 2026-01-31", param_hint="--before"
        ) from error
    if begins > time.time():
        raise typer.BadParameter(f"{typed} is still to come", param_hint="--before")
    return begins


def _move(
    settings: Config, store: TinyDbRegistry, target: Path, until: float, actor: str
) -> list[Segment]:
    from kiosk.bootstrap import witnessed
    from kiosk.cli.progress import shown
    from kiosk.core.clock import SystemClock
    from storage import archive
    from storage.fileops import FileOps
    from storage.records import AuditDraft

    total = len(archive.due(store.evidence, until))
    if not total:
        return []
    clock = SystemClock()
    draft = AuditDraft(
        at=clock.now(),
        station=settings.station.name,
        kind=archive.KIND,
        actor=actor,
    )
    registry = witnessed(settings, store, clock)
    moving = archive.move(
        registry, store.evidence, FileOps(), target, before=until, draft=draft
    )
    moved = list(shown(moving, total, "segments"))
    registry.checkpoint()
    return moved


def _say(moved: list[Segment], to: Path) -> None:
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message

    if not moved:
        typer.echo(words(Message("evidence.nothing_to_move")))
        return
    told: dict[str, str | int] = {
        "count": sum(each.events for each in moved),
        "first": moved[0].file,
        "last": moved[-1].file,
        "folder": str(to),
    }
    typer.echo(words(Message("evidence.moved", told)))
