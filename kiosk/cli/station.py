"""`kiosk station`: what a station of a fleet is known by."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, new_app
from kiosk.core.errors import KioskError, Message

TpmOption = Annotated[
    str | None,
    typer.Option(
        "--tpm",
        metavar="TPM",
        help="Make the key in this TPM, e.g. device:/dev/tpmrm0 (with tpm2-tools).",
        show_default=False,
    ),
]

app = new_app("Make the key that a station of a fleet is known by.")


class NotOfAFleet(KioskError):
    """The station has no `[authority]`: `file`."""

    code = "station.not_of_a_fleet"


@app.callback()
def _station() -> None:
    """Make the key that a station of a fleet is known by."""


@app.command()
def key(tpm: TpmOption = None, config: ConfigOption = None) -> None:
    """Make this station's own key, and print what its authority is told of it.

    The key is made here and never leaves. Where there is one, it stays, and only what
    the authority is told is printed again.
    """
    from kiosk.authority.stations import folder, key_file
    from kiosk.authority.stations.tpm_key import tpm_at
    from kiosk.config import FleetStation, find, load_any
    from kiosk.core.hardening import harden_process

    harden_process()
    settings = load_any(config)
    if not isinstance(settings, FleetStation):
        raise NotOfAFleet(file=str(find(config)))
    file, name = settings.authority.key_file, settings.station.name
    made = key_file.read_or_make(file, tpm_at(tpm) if tpm else None)
    told = {"file": str(file), "name": name}
    print(words(Message("station.key_made", told)), file=sys.stderr)
    sys.stdout.write(folder.text_of(made.public, settings.station.role))
