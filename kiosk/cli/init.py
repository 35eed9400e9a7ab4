"""`kiosk init`: write a commented configuration, a vault key and a first template."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Annotated

import typer

from kiosk.bootstrap import found_registry
from kiosk.cli.frame import new_app
from kiosk.newstation import IssuerFiles, Layout, create, usual_layout
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
) -> None:
    """Write the files of a new station. Nothing is overwritten."""
    layout = usual_layout() if folder is None else _below(folder.absolute())
    for file in create(layout, found_registry, _issuer() if issue_cards else None):
        print(file)
    print()
    print(text("cli.init_next").format(config=layout.config, password=layout.password))


def _below(folder: Path) -> Layout:
    return Layout.below(folder, folder)


def _issuer() -> IssuerFiles:
    from kiosk.enrollment.sources.local_ca import new_issuer

    name = f"Pin Kiosk issuer {socket.gethostname()}"
    return IssuerFiles(*new_issuer(name[:64], now=time.time()))
