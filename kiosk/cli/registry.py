"""`kiosk registry`: what the registry's files hold, whether they are whole, upkeep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli import registry_database, registry_move
from kiosk.cli.archive import ArchiveOption
from kiosk.cli.frame import ConfigOption, fail, folders, new_app

if TYPE_CHECKING:
    from kiosk.config import Config
    from storage.tinydb_registry import TinyDbRegistry

_LONGEST_ACCOUNT = 63
"""Bytes: PostgreSQL cuts a longer name off without a word."""

app = new_app("Look at the registry's files, check them, tidy them up.")


@app.command()
def info(config: ConfigOption = None) -> None:
    """Say how large the registry is, what lives in it, how old the last checkpoint is.

    A torn last write is cut and kept aside, as whoever opens the registry does.
    """
    from kiosk.cli import checkpoint_age
    from kiosk.core.clock import SystemClock

    if database := _database(config):
        registry_database.info(database)
        return
    with _opened(config) as registry:
        _complain_if_torn(registry)
        counts = registry.read(lambda view: (view.count(), view.unfinished()))
        figures = registry.figures()
        sealed = registry.evidence.segments()
        checkpoint = checkpoint_age.said(registry, SystemClock())
    here = [each for each in sealed if not each.archived]
    print(f"file            {figures.path}")
    living = min(figures.living, figures.size)  # it is reckoned
    print(f"size            {figures.size:,} bytes, about {living:,} of them living")
    print(f"credentials     {counts[0]:,}")
    print(f"unfinished      {counts[1]:,} operations")
    print(f"living events   {figures.events:,}")
    events, size = sum(it.events for it in here), sum(it.size for it in here)
    print(f"sealed events   {events:,} in {len(here):,} segments, {size:,} bytes")
    if len(here) < len(sealed):
        print(f"moved away      {len(sealed) - len(here):,} segments")
    print(f"checkpoint      {checkpoint}")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the registry and its evidence whole; name what is damaged, and where.

    A torn last write is damage, too: it is cut and kept aside, as whoever opens the
    registry does. Nothing else is changed. Exit code 1 if anything is damaged, or the
    registry is older than this station has seen it.
    """
    from kiosk.bootstrap import high_water_of, operators_config
    from kiosk.cli.ending import words
    from kiosk.cli.older import older_than_seen
    from kiosk.cli.progress import shown
    from kiosk.core.errors import Message

    if database := _database(config):
        registry_database.check(database)
        return
    mark = high_water_of(operators_config(config))
    seen = mark.read()
    with _opened(config) as registry:
        wrong = _complain_if_torn(registry)
        heads = registry.read(lambda view: view.heads())
        for older in older_than_seen(seen, heads, is_damaged=mark.is_damaged):
            typer.echo(words(older), err=True)
            wrong += 1
        total = len(registry.evidence.segments())
        for trouble in shown(registry.evidence.examined(), total, "segments"):
            if trouble is not None:
                typer.echo(words(Message(trouble.code, trouble.data)), err=True)
                wrong += 1
    if wrong:
        raise fail()
    print(f"The registry is whole, and so are {total:,} segments of evidence.")


@app.command()
def repair(
    copies: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            callback=folders,
            help="A backup, a folder of backups, an archive.",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Mend what can be mended with nothing lost; say what has to be restored.

    A last write that was torn is cut and kept aside. Sealed evidence that is missing or
    damaged is put back from a copy that is the same, byte for byte; the damaged file is
    kept. The index is made anew. Exit code 1 if anything is left that no copy mends.
    """
    from kiosk.cli.ending import words
    from kiosk.cli.progress import shown
    from kiosk.core.errors import Message
    from storage import mending
    from storage.fileops import FileOps

    if _database(config):
        raise typer.BadParameter("the registry is a database: see its own tools")
    left = 0
    folders = [each.absolute() for each in copies or ()]
    with _opened(config) as registry:
        if torn := _torn(registry):
            print(torn)
        total = 2 * len(registry.evidence.segments())  # each looked at, and indexed
        mended = mending.mend(registry.evidence, FileOps(), folders)
        for trouble, copy in shown(mended, total, "steps"):
            if trouble is None:
                continue
            typer.echo(words(Message(trouble.code, trouble.data)), err=True)
            if copy is None:
                left += 1
            else:
                print(f"Put back from {copy}.")
    if left:
        told = "Name a backup or an archive that has it (--from), or restore one."
        typer.echo(f"Not mended: {left:,}. {told}", err=True)
        raise fail()
    print("The registry is whole, and its index was made anew.")


@app.command()
def compact(config: ConfigOption = None) -> None:
    """Seal what evidence may be sealed, and write only what lives into a new file.

    A station does both by itself when nobody waits. It may go on working meanwhile.
    """
    if database := _database(config):
        registry_database.compact(database)
        return
    from kiosk.cli.progress import ProgressLine
    from storage.tinydb_evidence import BATCH

    with _opened(config) as registry:
        _complain_if_torn(registry)
        figures = registry.figures()
        before = figures.size
        due = range(0, figures.events, BATCH)
        with ProgressLine(len(due) + (figures.living >> 20), "steps") as told:
            while registry.evidence.seal():
                told()
            registry.compact(told)
        after = registry.figures().size
    print(f"The registry had {before:,} bytes and has {after:,} now.")


@app.command()
def upgrade(database: Annotated[str, typer.Argument(metavar="CONNECTION")]) -> None:
    """Make the tables of a registry in PostgreSQL, or bring them forward.

    CONNECTION is libpq's connection string, of the account that owns the tables. Old
    programs go on beside it where the step allows that. What was interrupted goes on
    when the same is typed again.
    """
    from kiosk.bootstrap import upgraded_database
    from kiosk.cli.progress import ProgressLine

    with ProgressLine(0, "statements") as shown:
        made, refused = upgraded_database(database, shown.reach)
    numbers = ", ".join(str(number) for number in made)
    print(f"Made: step {numbers}." if made else "There was nothing to be made.")
    for statement in refused:
        typer.echo(f"Goes without: {statement}", err=True)


@app.command()
def migrate(
    source: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="A file or a connection.")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="PLACE", help="A file or a connection.")
    ],
    *,
    archive: ArchiveOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read, verify and count.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Move a registry between a file and PostgreSQL, records and evidence.

    Stop every station first. Can be interrupted and typed again: it goes on. Codes that
    were given out are void afterwards.
    """
    registry_move.migrate(
        source, target, archives=archive or (), is_dry=dry_run, config=config
    )


@app.command()
def roles(account: Annotated[str, typer.Argument(metavar="ACCOUNT")]) -> None:
    """Print the SQL that gives an authority's account its rights, and no more."""
    from kiosk.bootstrap import rights_of

    if not account.isprintable() or len(account.encode()) > _LONGEST_ACCOUNT:
        raise typer.BadParameter(
            f"at most {_LONGEST_ACCOUNT} bytes on one line, as PostgreSQL takes them"
        )
    print(rights_of(account), end="")


def _torn(registry: TinyDbRegistry) -> str:
    """Return what is said of a last write that was cut at opening; empty: none was."""
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message

    file = registry.recovered()
    return words(Message("registry.torn", {"file": file})) if file else ""


def _complain_if_torn(registry: TinyDbRegistry) -> int:
    """Say that opening it has cut a last write: nobody will find that again.

    Return how many were cut.
    """
    torn = _torn(registry)
    if not torn:
        return 0
    typer.echo(torn, err=True)
    return 1


def _database(named: Path | None) -> Config | None:
    """Return the configuration, if its registry is a database."""
    from kiosk.bootstrap import operators_config

    settings = operators_config(named)
    return settings if settings.registry.postgresql else None


@contextmanager
def _opened(config: Path | None) -> Iterator[TinyDbRegistry]:
    from kiosk.bootstrap import embedded_registry, must_be_there, operators_config
    from kiosk.setup.ownership import become_owner

    settings = operators_config(config)
    must_be_there(settings)
    become_owner(settings.registry.path)  # what is made here is the station's to read
    registry = embedded_registry(settings)
    try:
        yield registry
    finally:
        registry.close()
