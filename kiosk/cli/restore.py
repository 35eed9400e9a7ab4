"""`kiosk restore`: a station from its backup, where there is none."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app
from kiosk.config import Config
from kiosk.core import private_files
from kiosk.core.errors import reason_of
from kiosk.core.file_owner import owner_of
from kiosk.setup.ownership import become_owner, make_folders

app = new_app("Put a backup back where nothing is.")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FOLDER", help="The folder of the keys."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Check the backup and put it back; nothing that is there is written over.

    Configuration and templates are put back where there are none. Root puts back
    what the kiosk's user shall own.
    """
    from kiosk.bootstrap import places_in
    from kiosk.cli.ending import words
    from kiosk.cli.progress import ProgressLine
    from kiosk.config.location import NAME, SYSTEM
    from kiosk.core.clock import SystemClock
    from kiosk.core.errors import Message
    from kiosk.setup import backup_folder, restoring
    from kiosk.setup.new_station import SYSTEM_DATA

    if keys is not None:
        _must_be_there(keys)
    target = (config or SYSTEM / NAME).absolute()
    if target.parent == SYSTEM:
        make_folders(SYSTEM, SYSTEM_DATA)
    with ProgressLine(_size(folder), "bytes") as told:
        backup_folder.read(folder, told)
    with _handed_over(folder, keys, target) as (backup, given):
        settings = _settings(backup / backup_folder.CONFIG, target)
        places = places_in(settings, target)
        with ProgressLine(3 * _size(backup), "bytes") as told:
            manifest = restoring.restore(
                backup,
                places,
                station=settings.station.name,
                now=SystemClock().now(),
                keys=given,
                told=told,
            )
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.made_at))
    print(words(Message("backup.restored", {"when": when})))
    password = settings.directory.password_file
    if password is not None and not password.exists():
        private_files.create(password, b"")
        print(words(Message("backup.password_next", {"file": str(password)})))
    for missing in places.given_out:
        if missing != password and not missing.exists():
            print(words(Message("backup.put_back_next", {"file": str(missing)})))
    print(words(Message("backup.doctor_next", {"config": str(target)})))


def _must_be_there(keys: Path) -> None:
    """Refuse a folder of keys that is none. NoSuchFolder, Unreadable."""
    from kiosk.setup.backup_folder import NoSuchFolder, Unreadable

    try:
        is_there = keys.is_dir()
    except OSError as error:
        raise Unreadable(file=str(keys), reason=reason_of(error)) from error
    if not is_there:
        raise NoSuchFolder(folder=str(keys))


def _size(folder: Path) -> int:
    """Return how much a backup holds, bytes; 0: that cannot be told.

    Only how far it is depends on that; whoever reads the files says what is wrong.
    """
    try:
        return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    except OSError:
        return 0


def _settings(saved: Path, target: Path) -> Config:
    """Return the configuration that will be in force, read as if it were there."""
    from kiosk.config import load, toml_file

    if target.exists():
        return load(target)
    return toml_file.decode(toml_file.load(saved), Config, file=target)


def _copy(folder: Path, target: Path, told: Callable[[int], None]) -> None:
    """Copy a folder; `told` hears of the bytes. NotWritten."""
    from kiosk.setup import backup_folder

    with backup_folder.named(target):
        target.mkdir(mode=0o700)
        inside = sorted(folder.iterdir())
    for each in inside:
        if each.is_dir():
            _copy(each, target / each.name, told)
        elif each.is_file():
            backup_folder.copy(each, target / each.name, told)


@contextmanager
def _handed_over(
    folder: Path, keys: Path | None, target: Path
) -> Iterator[tuple[Path, Path | None]]:
    """As root: copy both to where the station's user can read them, and become it.

    Backup and keys may lie where only root may look. NotWritten.
    """
    from kiosk.cli.progress import ProgressLine
    from kiosk.setup.backup_folder import named

    owner = owner_of(target)
    if os.geteuid() != 0 or owner == 0:
        yield folder, keys
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as scratch:
        backup, given = Path(scratch, "backup"), None
        with ProgressLine(_size(folder), "bytes handed over") as told:
            _copy(folder, backup, told)
            if keys is not None:
                given = Path(scratch, "keys")
                _copy(keys, given, told)
        with named(backup):
            for path in (Path(scratch), *Path(scratch).rglob("*")):
                os.chown(path, owner, -1, follow_symlinks=False)
            become_owner(target)
        yield backup, given
