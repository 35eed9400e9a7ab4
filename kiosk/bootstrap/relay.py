"""Desks whose session is at the authority: what serves them, and what shows them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kiosk.bootstrap.authority import witnessed_registry
from kiosk.bootstrap.cards import monitor_of
from kiosk.bootstrap.faces import NoStationLibrary, face_settings_of, site_of
from kiosk.bootstrap.looks import Look, nothing_seen
from kiosk.bootstrap.office import office_at
from kiosk.core.clock import SystemClock
from kiosk.core.errors import said_of
from kiosk.core.figures import UNTOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.authority.service.callers import Caller
    from kiosk.authority.service.desks import DeskService
    from kiosk.authority.stations.operating import KnownDesks
    from kiosk.cards.trace import Trace
    from kiosk.config import Config, FleetStation
    from kiosk.config.sections.station import StationRole
    from kiosk.core.errors import Message
    from kiosk.core.figures import Figures
    from kiosk.core.frame_line import FrameLine, Turns
    from kiosk.desk.context import Site
    from kiosk.desk.files import StationFiles
    from kiosk.desk.relay.channel import Channel
    from kiosk.desk.station import DeskStation
    from kiosk.desk.views import DeskPort
    from storage.registry import Registry

_OFFER_SECONDS = 10.0
"""Within which an authority that took a line begins a session."""


def desk_service_of(
    config: Config,
    around: Callable[[Registry], RequiredPorts],
    known: KnownDesks,
    figures: Figures = UNTOLD,
) -> DeskService:
    """Return what admits and serves operators' sessions. Nothing is opened."""
    from kiosk.authority.service.desks import DeskService
    from kiosk.desk.relay.channel import offered
    from kiosk.desk.relay.session_host import TOLD, end, host

    def serve(
        caller: Caller, sealing_key: bytes, line: FrameLine, turns: Turns
    ) -> None:
        channel = offered(line, sealing_key)
        try:
            hold(channel, caller, turns)
        except TOLD as error:  # the store is away, or the station not known any more
            end(channel, said_of(error))

    def hold(channel: Channel, caller: Caller, turns: Turns) -> None:
        from kiosk.desk.session import Session

        registry = witnessed_registry(config, figures=figures)
        try:
            parts = around(registry)
            role = known.operates(parts, caller.station)

            def make(files: StationFiles, waits: Callable[[], bool]) -> DeskPort:
                office = office_at(config, parts, caller.station, role)
                site = relayed_site_of(config, parts.registry, role, files, waits)
                return Session(office, site)

            still = partial(_still, known, parts, caller.station, role)
            host(channel, make, still, turns)
        finally:
            registry.close()

    def refuse(why: Message, key: bytes, line: FrameLine, _: Turns) -> None:
        end(offered(line, key), why)

    return DeskService(known.may_operate, serve, refuse)


def _still(
    known: KnownDesks, parts: RequiredPorts, station: str, role: StationRole
) -> None:
    """Let pass a station that may do what it might when its session began.

    StationUnknown, StationMayNot.
    """
    from kiosk.authority.errors import StationMayNot

    now = known.operates(parts, station)
    if now is not role:
        raise StationMayNot(station=station, role=now)


def relayed_site_of(
    config: Config,
    registry: Registry,
    role: StationRole,
    files: StationFiles,
    waits: Callable[[], bool] = lambda: True,
) -> Site:
    """Return what a session has whose operator sits at a station of that role.

    Cards are issued at enrollment stations alone.
    """
    from dataclasses import replace

    from kiosk.config.sections.station import StationRole

    own = site_of(config, registry)
    site = replace(own, files=files, waits=waits, is_lent=True)
    return site if role is StationRole.ENROLLMENT else replace(site, issuer=None)


def remote_desk(
    config: FleetStation,
    trace: Trace | None = None,
    figures: Figures = UNTOLD,
    look: Look = nothing_seen,
) -> DeskStation:
    """Return a desk that holds neither registry nor vault nor account.

    `look` is what it tells of itself. NoStationLibrary, CaFileUnusable,
    KeyFileUnusable, SecretFileError.
    """
    try:
        from kiosk.authority.client.desk_line import DeskLines
        from kiosk.authority.stations import signing
    except ImportError as error:
        raise NoStationLibrary from error
    from kiosk.authority.client.line import trusting
    from kiosk.authority.client.lines import Lines
    from kiosk.authority.client.reporting import Reporter
    from kiosk.authority.proof.seal import SealingKey
    from kiosk.authority.stations import key_file
    from kiosk.core.entropy import SystemEntropy
    from kiosk.desk.relay.channel import accepted
    from kiosk.desk.relay.remote_desk import RemoteDeskStation

    told = config.authority
    sign = partial(
        signing.sign,
        station=config.station.name,
        key=key_file.read(told.key_file),
        clock=SystemClock(),
    )
    lines = DeskLines(told.addresses, told.ca_file, sign, SystemEntropy())

    def connect(lost: Callable[[], None]) -> Channel:
        mine = SealingKey()
        return accepted(lines.opened(mine.public, lost), mine, _OFFER_SECONDS)

    context = trusting(told.ca_file)
    asking = Lines(told.addresses, context, sign, SystemClock())
    reporter = Reporter(asking, SystemEntropy(), SystemClock(), look)

    def tell(reader: str) -> None:
        reporter.tell(reader)
        asking.close()  # nobody keeps a line for the next minute

    return RemoteDeskStation(
        face_settings_of(config),
        monitor_of(config, trace),
        connect,
        figures,
        tell,
    )
