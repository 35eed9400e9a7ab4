"""The configuration of one station: what it may hold, where it is, how it is written.

`settings` says what there is, `location` where a file comes from, `render` turns the
descriptions of the settings into the commented file that `kiosk init` writes.
"""

from __future__ import annotations

from kiosk.config.location import (
    AuthorityElsewhere,
    NoConfiguration,
    NotInstalled,
    OperatorsConfig,
    find,
    installed,
    load,
    load_any,
    load_as,
    places,
)
from kiosk.config.sections.directory import Tls
from kiosk.config.sections.operators import Operator, OperatorRole
from kiosk.config.settings import AnyStation, Config, FleetStation

__all__ = [
    "AnyStation",
    "AuthorityElsewhere",
    "Config",
    "FleetStation",
    "NoConfiguration",
    "NotInstalled",
    "Operator",
    "OperatorRole",
    "OperatorsConfig",
    "Tls",
    "find",
    "installed",
    "load",
    "load_any",
    "load_as",
    "places",
]
