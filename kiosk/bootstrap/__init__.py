"""The one place that names concrete parts: which adapter stands behind which port.

Nothing is opened when this package is imported, and nothing heavy: each function
imports what it builds.
"""

from __future__ import annotations

from kiosk.bootstrap.authority import (
    UnknownLifecycleEdge,
    lifecycle_of,
    parts_of,
    ports_around,
    witnessed,
    witnessed_registry,
)
from kiosk.bootstrap.cards import any_monitor, middleware_of, module_of, monitor_of
from kiosk.bootstrap.certificates import (
    NoIssuer,
    anchors_of,
    authority_files_of,
    issuer_of,
    reseal_authority,
    source_of,
)
from kiosk.bootstrap.directory import (
    ServiceSecretUnclear,
    directory_of,
    service_secret_of,
)
from kiosk.bootstrap.faces import NoStationLibrary, face_settings_of, site_of
from kiosk.bootstrap.figures import figures_of
from kiosk.bootstrap.office import (
    bench_of,
    office_of,
    office_policy_of,
    open_office,
    operators_config,
)
from kiosk.bootstrap.places import RegistryElsewhere, places_in, places_of
from kiosk.bootstrap.service import (
    NoServiceLibrary,
    ServiceNotConfigured,
    listening_of,
    made_of,
)
from kiosk.bootstrap.stations import (
    build_desk,
    build_station,
    enroll,
    lines_of,
    remote_station,
)
from kiosk.bootstrap.store import (
    NoDatabaseLibrary,
    NoRegistry,
    PasswordInConfiguration,
    database_of,
    embedded_registry,
    examined_of,
    facts_of,
    found_registry,
    high_water_of,
    must_be_there,
    named_in,
    open_registry,
    others_at,
    registry_at,
    registry_of,
    rights_of,
    upgraded_database,
    vault_of,
)

__all__ = (
    "NoDatabaseLibrary",
    "NoIssuer",
    "NoRegistry",
    "NoServiceLibrary",
    "NoStationLibrary",
    "PasswordInConfiguration",
    "RegistryElsewhere",
    "ServiceNotConfigured",
    "ServiceSecretUnclear",
    "UnknownLifecycleEdge",
    "anchors_of",
    "any_monitor",
    "authority_files_of",
    "bench_of",
    "build_desk",
    "build_station",
    "database_of",
    "directory_of",
    "embedded_registry",
    "enroll",
    "examined_of",
    "face_settings_of",
    "facts_of",
    "figures_of",
    "found_registry",
    "high_water_of",
    "issuer_of",
    "lifecycle_of",
    "lines_of",
    "listening_of",
    "made_of",
    "middleware_of",
    "module_of",
    "monitor_of",
    "must_be_there",
    "named_in",
    "office_of",
    "office_policy_of",
    "open_office",
    "open_registry",
    "operators_config",
    "others_at",
    "parts_of",
    "places_in",
    "places_of",
    "ports_around",
    "registry_at",
    "registry_of",
    "remote_station",
    "reseal_authority",
    "rights_of",
    "service_secret_of",
    "site_of",
    "source_of",
    "upgraded_database",
    "vault_of",
    "witnessed",
    "witnessed_registry",
)
