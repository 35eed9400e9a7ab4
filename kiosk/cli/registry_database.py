"""`kiosk registry` where the registry is a database: the same questions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from kiosk.cli.frame import fail

if TYPE_CHECKING:
    from kiosk.config import Config


_COMPACTED = """\
Nonces, answers, sealing keys and counts that had expired are forgotten. Nothing else is
to be done: PostgreSQL finds the room of what is dead by itself (autovacuum). Evidence
stays in its tables, all of it; nothing is sealed into files here.\
"""


def info(config: Config) -> None:
    """Say where it is, how large, what lives in it, how old the last checkpoint is."""
    from kiosk.bootstrap import database_of, facts_of
    from kiosk.cli import checkpoint_age
    from kiosk.core.clock import SystemClock

    registry = database_of(config)
    try:
        told = facts_of(registry)
        counts = registry.read(lambda view: (view.count(), view.unfinished()))
        checkpoint = checkpoint_age.said(registry, SystemClock())
    finally:
        registry.close()
    print(f"database        {told.place}")
    print(f"server          PostgreSQL {told.version}, tables of version {told.schema}")
    print(f"size            {told.size:,} bytes")
    print(f"credentials     {counts[0]:,}")
    print(f"unfinished      {counts[1]:,} operations")
    print(f"events          {told.events:,} in {told.lanes:,} lanes")
    print(f"checkpoint      {checkpoint}")


def check(config: Config) -> None:
    """Read every record and all evidence; name what is damaged."""
    from kiosk.bootstrap import database_of, examined_of, facts_of
    from kiosk.cli.ending import words
    from kiosk.cli.progress import shown
    from kiosk.core.errors import Message

    registry = database_of(config)
    wrong = count = 0
    try:
        total = facts_of(registry).events + registry.read(lambda view: view.count())
        for trouble in shown(examined_of(registry), total, "records"):
            count += 1
            if trouble is not None:
                typer.echo(words(Message(trouble.code, trouble.data)), err=True)
                wrong += 1
    finally:
        registry.close()
    if wrong:
        raise fail()
    print(f"The registry is whole: {count:,} records were read.")


def compact(config: Config) -> None:
    """Forget what nobody can use any more; the database tidies itself up."""
    from kiosk.bootstrap import database_of
    from kiosk.cli.progress import ProgressLine

    registry = database_of(config)
    try:
        with ProgressLine(0, "rounds of forgetting") as told:
            while registry.idle(time.time()):
                told()
    finally:
        registry.close()
    print(_COMPACTED)
