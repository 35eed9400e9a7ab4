"""Which configuration a station has, and reading it."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk import tomlfile
from kiosk.config.settings import Config
from kiosk.errors import KioskError

NAME = "kiosk.toml"
VARIABLE = "PIN_KIOSK_CONFIG"
SYSTEM = Path("/etc/pin-kiosk")


class NoConfiguration(KioskError):
    """No configuration was found: `places` that were looked at."""

    code = "config.none"


def places() -> tuple[Path, ...]:
    """Return where a configuration may be, in the order that is tried."""
    import platformdirs  # most calls name their file

    return SYSTEM / NAME, platformdirs.user_config_path("pin-kiosk") / NAME


def find(named: Path | None = None) -> Path:
    """Return the file to read: the one named, $PIN_KIOSK_CONFIG, or the first there is.

    NoConfiguration. A file that was named is returned whether it is there or not.
    """
    if named is not None:
        return named
    if variable := os.environ.get(VARIABLE):
        return Path(variable)
    for place in places():
        if place.is_file():
            return place
    raise NoConfiguration(places=", ".join(str(place) for place in places()))


def load(named: Path | None = None) -> Config:
    """Find and read the configuration. NoConfiguration, `tomlfile.FileError`s.

    It names operators and files, so it must be this user's own (or root's): somebody
    who may run the program as this user cannot hand it another one.
    """
    path = find(named).absolute()
    config = tomlfile.decode(tomlfile.load_own(path), Config, file=path)
    if not (config.directory.dcs or config.directory.domain):
        raise tomlfile.MissingKey(file=str(path), key="directory.dcs")
    seen: set[str] = set()
    for index, operator in enumerate(config.operators):
        if operator.login in seen:
            raise tomlfile.WrongValue(
                file=str(path),
                key=f"operators[{index}].login",
                expected="a login name that no other operator has",
            )
        seen.add(operator.login)
    return config
