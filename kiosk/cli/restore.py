"""`kiosk restore`: a station from its backup, where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app

app = new_app("Put a backup back where nothing is.")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    vault_key: Annotated[
        Path | None,
        typer.Option("--vault-key", help="The copy of the vault's key."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Check the backup and put it back; nothing that is there is written over.

    Without a configuration, that and the templates are put back first.
    """
    from kiosk import backup as backups
    from kiosk.bootstrap import places_of
    from kiosk.cli.ending import words
    from kiosk.clock import SystemClock
    from kiosk.config import load
    from kiosk.errors import Message

    if config is not None and not config.exists():
        done = backups.restore_config(folder, config, config.parent / "templates")
        for file in done:
            print(words(Message("backup.restored_config", {"file": str(file)})))
        print(words(Message("backup.check_config")))
        return
    count = backups.restore(
        folder,
        places_of(config),
        station=load(config).station.name,
        now=SystemClock().now(),
        key_copy=vault_key,
    )
    print(words(Message("backup.restored", {"count": count})))
