"""What faces are told of the configuration, in whichever process they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.bootstrap.certificates import source_of
from kiosk.core.clock import SystemClock
from kiosk.core.errors import KioskError

if TYPE_CHECKING:
    from kiosk.config import AnyStation, Config
    from kiosk.desk.context import Site
    from kiosk.visit.station import FaceSettings
    from storage.registry import Registry


class NoStationLibrary(KioskError):
    """What a station of a fleet needs is not installed."""

    code = "service.no_station_library"


def site_of(config: Config, registry: Registry | None = None) -> Site:
    """Return what a desk has of its own.

    `registry`: keeps what cards wait for; None: as `source_of`.
    """
    from kiosk.config.sections.enrollment import CertificateOrigin
    from kiosk.core.entropy import SystemEntropy
    from kiosk.desk.context import Site

    told = config.certificates
    is_own = told.source is CertificateOrigin.LOCAL_CA
    has_source = not is_own or config.enrollment.ca_certificate_file is not None
    return Site(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        issuer=(lambda: source_of(config, registry)) if has_source else None,
        questions=config.helpdesk.questions,
        answers=config.helpdesk.answers,
    )


def face_settings_of(config: AnyStation) -> FaceSettings:
    """Return what the screens need of the configuration."""
    from kiosk.visit.station import FaceSettings, Helpdesk

    screens = config.screens
    return FaceSettings(
        station=config.station.name,
        title=config.station.title,
        helpdesk=Helpdesk(contact=config.helpdesk.contact, hours=config.helpdesk.hours),
        idle_warning_after=screens.idle_after,
        idle_wipe_after=screens.idle_after + screens.warning_lasts,
        print_with=config.printing.command,
        forgotten_card_bell=screens.forgotten_card_bell,
        pause=screens.pause,
        languages=config.display.languages,
        high_contrast=config.display.high_contrast,
        big_digits=config.display.big_digits,
    )
