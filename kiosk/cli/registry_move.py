"""`kiosk registry migrate`: from a file to PostgreSQL, or back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from kiosk.core.errors import KioskError


class SamePlace(KioskError):
    """A registry would be moved to where it is: `path`."""

    code = "config.same_place"


def migrate(
    source: str,
    target: str,
    *,
    archives: Sequence[Path],
    is_dry: bool,
    config: Path | None,
) -> None:
    """Move a registry, or only say what would be moved."""
    from kiosk.bootstrap import (
        database_of,
        must_be_there,
        named_in,
        operators_config,
        others_at,
        registry_at,
    )
    from kiosk.cli.progress import ProgressLine, shown
    from kiosk.cli.registry_users import must_be_left, processes_of
    from kiosk.core.clock import SystemClock
    from kiosk.setup.ownership import become_owner
    from storage import moving

    clock = SystemClock()
    settings, now = operators_config(config), clock.now()
    is_file = not _is_database(source)
    if _is_same(source, target):
        raise SamePlace(path=target)
    if is_file and not is_dry:  # as root, while we are: it sees everybody's processes
        must_be_left(source, partial(processes_of, Path(source)), clock)
    for place in (source, target):
        if not _is_database(place):
            become_owner(Path(place))
    if is_file:
        must_be_there(named_in(settings, Path(source)))
    if not is_file and not is_dry:
        with closing(database_of(named_in(settings, source))) as database:
            must_be_left(database.place, partial(others_at, database), clock)
    with ExitStack() as opened:
        old = opened.enter_context(closing(registry_at(source, settings, archives)))
        there = old.read(lambda view: view.count())
        with ProgressLine(there, "credentials read") as reading:
            told = moving.content(old, reading)
        if is_dry:
            for _ in shown(moving.verified(old), told.events, "events"):
                pass
            print(
                f"Would move {told.credentials:,} credentials and {told.events:,}"
                f" events in {len(told.heads):,} chains, all of which verify."
            )
            return
        new = opened.enter_context(closing(registry_at(target, settings)))
        total = told.credentials + told.events
        for _ in shown(moving.move(old, new, now=now), total, "records"):
            pass
        name = settings.station.name
        with ProgressLine(2 * told.credentials, "credentials compared") as comparing:
            moved = moving.finish(
                old, new, station=name, now=clock.now(), told=comparing
            )
    print(
        f"Moved {moved.credentials:,} credentials and {moved.events:,} events; both"
        f" places hold the same (SHA-256 {moved.records[:16]}…)."
    )
    print("Name the new place in each configuration before a station starts again.")


def _is_database(place: str) -> bool:
    """Say whether a place is a connection string, not a file."""
    return "=" in place or "://" in place


def _is_same(source: str, target: str) -> bool:
    """Say whether both are one place: then its codes would be void for nothing."""
    if source == target:
        return True
    try:
        return Path(source).samefile(target)
    except OSError:
        return False
