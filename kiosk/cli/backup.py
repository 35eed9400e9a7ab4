"""`kiosk backup`: everything of this station but its keys, in a new folder."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app

if TYPE_CHECKING:
    from kiosk.setup.backup import MadeBackup, Places

app = new_app("Copy registry, configuration and templates into a new folder.")


@app.command()
def backup(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A folder that is not there yet; with --keep, one for all."
        ),
    ],
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="FOLDER",
            help="Copy the keys (the vault's, the issuing authority's) to this new "
            "folder, too.",
        ),
    ] = None,
    keep: Annotated[
        int,
        typer.Option(
            min=0,
            help="Make it inside FOLDER, named by the moment, and keep only that "
            "many there.",
        ),
    ] = 0,
    config: ConfigOption = None,
) -> None:
    """Make a backup; the station may go on working meanwhile."""
    from kiosk.bootstrap import places_of
    from kiosk.cli.ending import words
    from kiosk.cli.progress import ProgressLine
    from kiosk.core.clock import SystemClock
    from kiosk.core.errors import Message
    from kiosk.setup import backup as backups
    from kiosk.setup import nightly

    if keys is not None:
        backups.must_be_apart(keys, folder)
    places = places_of(config)
    gone: tuple[nightly.Pruned, ...] = ()
    with nightly.alone(folder) if keep else nullcontext(enter_result=False) as is_alone:
        now = SystemClock().now()
        target = nightly.named_by_moment(folder, now) if keep else folder
        earlier = nightly.newest(folder) if keep else None
        with ProgressLine(_size(places), "bytes") as told:
            made = backups.back_up(
                places, target, now=now, keys=keys, like=earlier, told=told
            )
        _say(places, made, target)
        if keep:
            gone = nightly.prune(folder, keep, target, is_alone=is_alone)
    for each in gone:
        why = "backup.pruned" if each.was_whole else "backup.pruned_unfinished"
        print(words(Message(why, {"folder": str(each.folder)})))
    if keys is not None:
        print(words(Message("backup.keys_apart", {"folder": str(keys)})))
        return
    listed = ", ".join(str(path) for path in places.keys.values())
    print(words(Message("backup.keys_not_in", {"files": listed})))


def _say(places: Places, made: MadeBackup, target: Path) -> None:
    """Print what is in the backup, and what is not."""
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message

    said: dict[str, str | int] = {
        "folder": str(target),
        "files": len(made.manifest.files),
    }
    print(words(Message("backup.made", said)))
    print(words(Message("backup.left_out")))
    if places.given_out:
        left = ", ".join(str(path) for path in places.given_out)
        print(words(Message("backup.given_out_anew", {"files": left})))
    for why, path in places.left_out.items():
        print(words(Message(why, {"file": str(path)})))
    if made.moved_away:
        print(words(Message("backup.moved_away", {"count": made.moved_away})))


def _size(places: Places) -> int:
    from kiosk.setup.backup import size_of

    try:
        return size_of(places)
    except OSError:  # the backup itself will say what cannot be read
        return 0
