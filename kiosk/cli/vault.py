"""`kiosk vault`: the key that escrowed secrets are encrypted with."""

from __future__ import annotations

import typer

from kiosk.cli.frame import ConfigOption, new_app

_NAMED = 50
"""Cards whose secrets open with no key: more of them is one thing that is wrong."""

app = new_app("Change the key that escrowed secrets are encrypted with.")


@app.callback()
def _vault() -> None:
    """Change the key that escrowed secrets are encrypted with."""


@app.command()
def rotate(config: ConfigOption = None) -> None:
    """Add a new key to the key file and encrypt every escrowed secret with it.

    Copy the key file away first and afterwards. Running it again after an
    interruption goes on where it stopped, with one key more.
    """
    from kiosk.bootstrap import (
        must_be_there,
        registry_of,
        reseal_authority,
        vault_of,
    )
    from kiosk.cli.progress import ProgressLine
    from kiosk.config import load
    from kiosk.core.clock import SystemClock
    from kiosk.core.hardening import harden_process
    from storage.rotation import NotAllOpened, reseal_all
    from storage.vault import add_key

    harden_process()
    settings = load(config)
    must_be_there(settings)
    vault_of(settings)  # refuses a key file that could not be read afterwards
    name = add_key(settings.vault.key_file)
    registry = registry_of(settings, SystemClock())
    try:
        there = registry.read(lambda view: view.count())
        with ProgressLine(there, "credentials") as told:
            done = reseal_all(registry, vault_of(settings), told)
    finally:
        registry.close()
    count = done.count + reseal_authority(settings)
    typer.echo(f"The key {name} is current; {count} secrets were encrypted with it.")
    if done.unopened:
        raise NotAllOpened(cards=", ".join(done.unopened[:_NAMED]))
