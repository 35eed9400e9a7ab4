"""`kiosk backup`: everything of this station but the vault's key, in a new folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app

app = new_app("Copy registry, configuration and templates into a new folder.")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    vault_key: Annotated[
        Path | None,
        typer.Option("--vault-key", help="Copy the vault's key to this new file, too."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a backup; the station may go on working meanwhile."""
    from kiosk import backup as backups
    from kiosk.bootstrap import places_of
    from kiosk.cli.ending import words
    from kiosk.clock import SystemClock
    from kiosk.errors import Message

    places = places_of(config)
    made = backups.back_up(places, folder, now=SystemClock().now(), key_copy=vault_key)
    told: dict[str, str | int] = {"folder": str(folder), "files": len(made.files)}
    print(words(Message("backup.made", told)))
    apart = Message("backup.key_not_in", {"file": str(places.vault_key)})
    if vault_key is not None:
        apart = Message("backup.key_apart", {"file": str(vault_key)})
    print(words(apart))
