"""The configuration of one station: what it may hold, where it is, how it is written.

`settings` says what there is, `location` where a file comes from, `render` turns the
descriptions of the settings into the commented file that `kiosk init` writes.
"""

from __future__ import annotations

from kiosk.config.location import (
    NoConfiguration,
    NotInstalled,
    OperatorsConfig,
    find,
    installed,
    load,
    load_as,
    places,
)
from kiosk.config.sections.directory import Tls
from kiosk.config.sections.operators import Operator, OperatorRole
from kiosk.config.settings import Config

__all__ = [
    "Config",
    "NoConfiguration",
    "NotInstalled",
    "Operator",
    "OperatorRole",
    "OperatorsConfig",
    "Tls",
    "find",
    "installed",
    "load",
    "load_as",
    "places",
]
