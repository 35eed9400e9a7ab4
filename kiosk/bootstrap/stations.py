"""What faces use: a station for its holders, a desk for its operators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kiosk.bootstrap.authority import lifecycle_of, parts_of
from kiosk.bootstrap.cards import monitor_of
from kiosk.bootstrap.faces import NoStationLibrary, face_settings_of, site_of
from kiosk.bootstrap.looks import Look, nothing_seen
from kiosk.bootstrap.office import office_of
from kiosk.core.clock import SystemClock
from kiosk.core.figures import UNTOLD

if TYPE_CHECKING:
    from kiosk.authority.client.lines import Lines
    from kiosk.cards.trace import Trace
    from kiosk.config import AnyStation, Config, FleetStation
    from kiosk.core.figures import Figures
    from kiosk.core.secret import Secret
    from kiosk.desk.station import DeskStation
    from kiosk.visit.station import Station


def build_station(
    config: AnyStation,
    trace: Trace | None = None,
    figures: Figures = UNTOLD,
    look: Look = nothing_seen,
) -> Station:
    """Return the station that the faces use; `trace` hears what cards are told.

    `look` is what a station of a fleet tells of itself: modules, and parts that fail.

    What is wrong with the configuration is raised at once; a store, key, directory
    or authority that is missing is a fault of the station's health. NoStationLibrary.
    """
    from kiosk.config import FleetStation

    if isinstance(config, FleetStation):
        return remote_station(config, trace, figures, look)
    return _own_authority(config, trace, figures)


def _own_authority(config: Config, trace: Trace | None, figures: Figures) -> Station:
    """Return a station that has its authority in its own process."""
    from kiosk.authority.local import LocalAuthority
    from kiosk.visit.station_of_parts import OpenedAuthority, StationOfParts

    def open_authority() -> OpenedAuthority:
        parts = parts_of(config, figures=figures)
        registry = parts.registry
        return OpenedAuthority(
            LocalAuthority(parts, config.station.name),
            registry.close,
            lambda: registry.idle(parts.clock.now()),
        )

    lifecycle_of(config)
    monitor = monitor_of(config, trace)
    return StationOfParts(face_settings_of(config), monitor, open_authority, figures)


def remote_station(
    config: FleetStation,
    trace: Trace | None = None,
    figures: Figures = UNTOLD,
    look: Look = nothing_seen,
) -> Station:
    """Return a station that has neither registry nor vault nor directory.

    NoStationLibrary.
    """
    try:
        from kiosk.authority.stations import signing  # noqa: F401 - is it there?
    except ImportError as error:
        raise NoStationLibrary from error
    from kiosk.core.entropy import SystemEntropy
    from kiosk.visit.station_of_parts import OpenedAuthority, StationOfParts

    def open_authority() -> OpenedAuthority:
        from kiosk.authority.client.remote import remote
        from kiosk.authority.client.reporting import Reporter

        lines, entropy, clock = lines_of(config), SystemEntropy(), SystemClock()
        tell = Reporter(lines, entropy, clock, look).tell
        return OpenedAuthority(remote(lines, entropy, clock), lines.close, tell=tell)

    monitor = monitor_of(config, trace)
    return StationOfParts(face_settings_of(config), monitor, open_authority, figures)


def lines_of(config: FleetStation) -> Lines:
    """Return a station's connections to its authority. Nothing is connected.

    CaFileUnusable, KeyFileUnusable, SecretFileError.
    """
    from kiosk.authority.client.line import trusting
    from kiosk.authority.client.lines import Lines
    from kiosk.authority.stations import key_file, signing

    told = config.authority
    context = trusting(told.ca_file)
    sign = partial(
        signing.sign,
        station=config.station.name,
        key=key_file.read(told.key_file),
        clock=SystemClock(),
    )
    return Lines(told.addresses, context, sign, SystemClock())


def enroll(config: FleetStation, token: Secret, tpm: str = "") -> str:
    """Make this station one of the fleet; return its name there.

    Its key is made where there is none, in that TPM if one is named. KeyFileNotMade,
    KeyFileTaken, NotATpm, TpmErrors, TokenRefused, what `lines_of` raises, and what the
    authority refuses it for. NoStationLibrary.
    """
    try:
        from kiosk.authority.client import enrolling
    except ImportError as error:
        raise NoStationLibrary from error
    from kiosk.authority.stations import key_file
    from kiosk.authority.stations.enroll_call import call_body, typed_token
    from kiosk.authority.stations.tpm_key import tpm_at
    from kiosk.core.entropy import SystemEntropy

    typed_token(token)  # what can be none makes no key
    place = tpm_at(tpm) if tpm else None
    key = key_file.read_or_make(config.authority.key_file, place)
    lines = lines_of(config)
    try:
        body = call_body(token, key.public, config.station.role)
        return enrolling.enroll(lines, body, SystemEntropy()).name
    finally:
        lines.close()


def build_desk(
    config: AnyStation,
    trace: Trace | None = None,
    figures: Figures = UNTOLD,
    look: Look = nothing_seen,
) -> DeskStation:
    """Return the desk that the operators' screens use. As `build_station`."""
    from kiosk.authority.office.listing import make_ready
    from kiosk.config import FleetStation
    from kiosk.desk.station import EmbeddedDesk, OpenedDesk

    if isinstance(config, FleetStation):
        from kiosk.bootstrap.relay import remote_desk

        return remote_desk(config, trace, figures, look)

    def open_desk_parts() -> OpenedDesk:
        parts = parts_of(config, figures=figures)
        registry = parts.registry
        return OpenedDesk(
            office_of(config, parts),
            site_of(config),
            registry.close,
            lambda: registry.idle(parts.clock.now()),
            lambda: make_ready(registry),
        )

    lifecycle_of(config)
    monitor = monitor_of(config, trace)
    return EmbeddedDesk(face_settings_of(config), monitor, open_desk_parts)
