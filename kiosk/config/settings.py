"""The whole configuration of a station that is its own authority, or of an authority;
and of a station whose authority is elsewhere.
"""

from __future__ import annotations

from kiosk.config.sections import Section
from kiosk.config.sections.directory import DirectorySettings
from kiosk.config.sections.enrollment import Certificates, Enrollment
from kiosk.config.sections.fleet import AuthoritySettings, ServiceSettings
from kiosk.config.sections.operators import Operator, SignInSettings
from kiosk.config.sections.rules import (
    EvidenceSettings,
    LifecycleSettings,
    ProfileSettings,
    RegistrySettings,
    Templates,
    VaultSettings,
)
from kiosk.config.sections.station import (
    Display,
    HelpdeskSettings,
    Log,
    MetricsSettings,
    MiddlewareSettings,
    Printing,
    ReadersSettings,
    Screens,
    StationSettings,
)


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    station: StationSettings
    helpdesk: HelpdeskSettings
    directory: DirectorySettings
    registry: RegistrySettings
    vault: VaultSettings
    templates: Templates
    evidence: EvidenceSettings = EvidenceSettings()
    readers: ReadersSettings = ReadersSettings()
    middleware: MiddlewareSettings = MiddlewareSettings()
    screens: Screens = Screens()
    display: Display = Display()
    printing: Printing = Printing()
    lifecycle: LifecycleSettings = LifecycleSettings()
    profile: ProfileSettings = ProfileSettings()
    enrollment: Enrollment = Enrollment()
    certificates: Certificates = Certificates()
    log: Log = Log()
    metrics: MetricsSettings = MetricsSettings()
    sign_in: SignInSettings = SignInSettings()
    service: ServiceSettings = ServiceSettings()
    operators: tuple[Operator, ...] = ()


class FleetStation(Section, frozen=True, kw_only=True):
    """The whole file of a station whose authority is elsewhere: it has `[authority]`.

    What belongs to an authority has no place in it.
    """

    station: StationSettings
    helpdesk: HelpdeskSettings
    authority: AuthoritySettings
    readers: ReadersSettings = ReadersSettings()
    middleware: MiddlewareSettings = MiddlewareSettings()
    screens: Screens = Screens()
    display: Display = Display()
    printing: Printing = Printing()
    log: Log = Log()
    metrics: MetricsSettings = MetricsSettings()


AnyStation = Config | FleetStation
"""Whatever a station runs on."""
