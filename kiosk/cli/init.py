"""`kiosk init`: write a commented configuration, a vault key and a first template."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kiosk.bootstrap import found_registry
from kiosk.cli.frame import new_app
from kiosk.cli.typed import NoTerminal
from kiosk.config.location import SYSTEM
from kiosk.core.file_owner import name_of
from kiosk.setup.new_station import (
    SYSTEM_DATA,
    IssuerFiles,
    Layout,
    create,
    usual_layout,
)
from kiosk.setup.ownership import become_owner, make_folders
from kiosk.texts import text

app = new_app("Write the files of a new station. Nothing is overwritten.")


@app.command()
def init(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Where to write everything; silent: /etc/pin-kiosk and "
            "/var/lib/pin-kiosk for root, else your own folders."
        ),
    ] = None,
    *,
    issue_cards: Annotated[
        bool,
        typer.Option(
            "--issue-cards", help="Also make an issuer that signs new cards' keys."
        ),
    ] = False,
    guided: Annotated[
        bool,
        typer.Option(
            "--guided", help="Ask for what is needed, and try each answer as it goes."
        ),
    ] = False,
) -> None:
    """Write the files of a new station. Nothing is overwritten.

    Root writes what the user of the folder shall own: on a kiosk machine, `kiosk`.
    """
    layout = usual_layout() if folder is None else _below(folder.absolute())
    if folder is None:
        make_folders(SYSTEM, SYSTEM_DATA)
    if guided:
        from kiosk.cli.guided import run

        if not sys.stdin.isatty():
            raise NoTerminal
        raise typer.Exit(run(layout, _issuer()))
    become_owner(layout.config)
    for file in create(layout, found_registry, _issuer() if issue_cards else None):
        print(file)
    print()
    told = text("cli.init_next")
    user = name_of(os.geteuid())
    print(told.format(config=layout.config, password=layout.password, user=user))


def _below(folder: Path) -> Layout:
    return Layout.below(folder, folder)


def _issuer() -> IssuerFiles:
    from kiosk.certificates.local_ca import new_issuer

    name = f"Pin Kiosk issuer {socket.gethostname()}"
    return IssuerFiles(*new_issuer(name[:64], now=time.time()))
