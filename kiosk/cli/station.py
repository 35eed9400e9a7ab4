"""`kiosk station`: what a station of a fleet is known by."""

from __future__ import annotations

import sys

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, new_app
from kiosk.core.errors import KioskError, Message

app = new_app("Make the key that a station of a fleet is known by.")


class NotOfAFleet(KioskError):
    """The station has no `[authority]`: `file`."""

    code = "station.not_of_a_fleet"


@app.callback()
def _station() -> None:
    """Make the key that a station of a fleet is known by."""


@app.command()
def key(config: ConfigOption = None) -> None:
    """Make this station's own key, and print what its authority is told of it.

    The key is made here and never leaves. Where there is one, it stays, and only what
    the authority is told is printed again.
    """
    from kiosk.authority.stations import folder, key_file
    from kiosk.config import FleetStation, find, load_any
    from kiosk.core.hardening import harden_process

    harden_process()
    settings = load_any(config)
    if not isinstance(settings, FleetStation):
        raise NotOfAFleet(file=str(find(config)))
    file, name = settings.authority.key_file, settings.station.name
    made = key_file.read(file) if file.exists() else key_file.make(file)
    told = {"file": str(file), "name": name}
    print(words(Message("station.key_made", told)), file=sys.stderr)
    sys.stdout.write(folder.text_of(made.public, settings.station.role))
