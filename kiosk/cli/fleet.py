"""`kiosk fleet`: which stations there are, and how one comes or goes."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, JsonOption, new_app
from kiosk.cli.station import TpmOption
from kiosk.config.sections.station import STATION_NAME, StationRole
from kiosk.core.errors import KioskError, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosk.authority.stations.standing import SeenStation
    from kiosk.config import FleetStation

app = new_app("The stations of a fleet: enroll, list, rename, revoke.")
_Station = Annotated[
    str, typer.Argument(metavar="STATION", help="Its id.", show_default=False)
]


class NotAStationName(KioskError):
    """No station can have this id: `name`."""

    code = "cli.not_a_station_name"


@app.command()
def token(
    name: Annotated[
        str,
        typer.Option(
            "--name", help="What the station signs as, for ever.", show_default=False
        ),
    ],
    role: Annotated[
        StationRole, typer.Option("--role", help="Who stands there.")
    ] = StationRole.SELF_SERVICE,
    config: ConfigOption = None,
) -> None:
    """Print a token by which one station may enroll, once, within an hour.

    For an administrator, at the authority. A station that is enrolled already gets
    another key by it, and the one before is not heard any more.
    """
    import re

    from kiosk.bootstrap import open_office, operators_config

    if not re.match(STATION_NAME, name):
        raise NotAStationName(name=name)
    with open_office(operators_config(config)) as office:
        given = office.give_station_token(name, role)
        until = _time(given.expires_at)
        told: dict[str, str | int] = {"name": name, "role": role, "until": until}
        print(words(Message("station.token_given", told)), file=sys.stderr)
        with given.token as shown:
            print(shown.reveal().decode("ascii"))


@app.command()
def enroll(
    authority: Annotated[
        list[str] | None,
        typer.Option(
            "--authority",
            metavar="ADDRESS",
            help="Ask there instead: https://HOST[:PORT]. More than once for several.",
            show_default=False,
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            metavar="FILE",
            help="Believe this issuer (PEM) there, instead of the configured one.",
            show_default=False,
        ),
    ] = None,
    tpm: TpmOption = None,
    config: ConfigOption = None,
) -> None:
    """Make this station one of the fleet, with the token that its authority printed.

    The token is asked for at the terminal. The station's key is made here and never
    leaves; where there is one, it stays. May be repeated if the answer was lost.
    """
    from kiosk import bootstrap
    from kiosk.cli.station import NotOfAFleet
    from kiosk.cli.typed import ask_secret
    from kiosk.config import FleetStation, find, load_any
    from kiosk.core.hardening import harden_process
    from kiosk.texts import text

    harden_process()
    settings = load_any(config)
    if not isinstance(settings, FleetStation):
        raise NotOfAFleet(file=str(find(config)))
    settings = _asked_elsewhere(settings, authority or (), ca)
    with ask_secret(text("station.ask_token") + " ") as typed:
        name = bootstrap.enroll(settings, typed, tpm or "")
    told: dict[str, str | int] = {"name": name, "role": settings.station.role}
    print(words(Message("station.enrolled", told)))


@app.command("list")
def list_(config: ConfigOption = None, *, json: JsonOption = False) -> None:
    """List every station: its health, role, program, and when it was last heard."""
    from kiosk.bootstrap import open_office, operators_config

    with open_office(operators_config(config)) as office:
        found = office.stations()
    if json:
        _print_json([_plain(each) for each in found])
        return
    for each in found:
        print("  ".join(_line(each)))


@app.command()
def show(
    station: _Station, config: ConfigOption = None, *, json: JsonOption = False
) -> None:
    """Show one station."""
    from kiosk.bootstrap import open_office, operators_config

    with open_office(operators_config(config)) as office:
        found = _plain(office.station(station))
    if json:
        _print_json(found)
        return
    for name, value in found.items():
        print(f"{name:12} {value}")


@app.command()
def revoke(
    station: _Station,
    reason: Annotated[
        str,
        typer.Option("--reason", help="Why; kept in the audit.", show_default=False),
    ],
    config: ConfigOption = None,
) -> None:
    """Let a station be heard no more: at once, in the middle of a visit too."""
    from kiosk.bootstrap import open_office, operators_config

    with open_office(operators_config(config)) as office:
        office.revoke_station(station, reason)
    print(words(Message("station.revoked", {"name": station})))


@app.command()
def rename(
    station: _Station,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    config: ConfigOption = None,
) -> None:
    """Call a station something else; what it signs as stays."""
    from kiosk.bootstrap import open_office, operators_config

    with open_office(operators_config(config)) as office:
        saved = office.rename_station(station, name)
    print(words(Message("station.renamed", {"name": station, "as": saved.name})))


def _asked_elsewhere(
    settings: FleetStation, addresses: Sequence[str], ca: Path | None
) -> FleetStation:
    """Return the settings with what was named instead of what they say."""
    import re

    from msgspec.structs import replace

    from kiosk.config.sections.fleet import HOST_PORT

    for each in addresses:
        if re.fullmatch(f"https://{HOST_PORT}", each) is None:
            raise typer.BadParameter(f"{each} is no address: https://HOST[:PORT]")
    told = settings.authority
    return replace(
        settings,
        authority=replace(
            told,
            addresses=tuple(addresses) or told.addresses,
            ca_file=told.ca_file if ca is None else ca.absolute(),
        ),
    )


def _line(station: SeenStation) -> tuple[str, ...]:
    from time import time

    from kiosk.authority.stations.standing import standing
    from kiosk.core.untrusted_text import visible

    return (
        f"{station.id:20}",
        f"{standing(station, time()):9}",
        f"{station.role:12}",
        f"{visible(station.program) or '-':12}",
        f"{_time(station.last_seen):20}",
        visible(station.name),
    )


def _plain(station: SeenStation) -> dict[str, str]:
    import hashlib

    from kiosk.core.untrusted_text import visible

    return {
        "id": station.id,
        "name": visible(station.name),
        "state": station.state,
        "role": station.role,
        "algorithm": station.algorithm,
        "key_sha256": hashlib.sha256(station.public_key).hexdigest(),
        "enrolled_at": _time(station.enrolled_at),
        "enrolled_by": visible(station.enrolled_by),
        "last_seen": _time(station.last_seen),
        "program": visible(station.program),
        **_reported(station),
    }


def _reported(station: SeenStation) -> dict[str, str]:
    """Return how it stands, and what it says of itself."""
    from time import time

    from kiosk.authority.stations.standing import standing
    from kiosk.core.untrusted_text import visible

    told = station.report
    stands = {"health": str(standing(station, time()))}
    if told is None:
        return stands
    return {
        **stands,
        "reported_at": _time(told.at),
        "reader": visible(told.reader),
        "middleware": visible(", ".join(told.middleware)),
        "clock_off": f"{told.clock_off:+.1f} s",
        "failing": visible(", ".join(told.failing)),
    }


def _print_json(found: object) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ") if at else "-"
