"""Which configuration a station has, and reading it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from kiosk.config import toml_file
from kiosk.config.settings import AnyStation, Config, FleetStation
from kiosk.core.errors import KioskError
from kiosk.core.file_owner import name_of, owner_of

NAME = "kiosk.toml"
VARIABLE = "PIN_KIOSK_CONFIG"
SYSTEM = Path("/etc/pin-kiosk")
_ROOT = 0
"""Whose configuration may be anybody's."""


class OperatorsConfig(Config, frozen=True, kw_only=True):
    """A configuration that may say who is an operator here.

    Only `bootstrap.operators_config` reads one.
    """


C = TypeVar("C", bound=Config)
S = TypeVar("S", bound=AnyStation)


class NoConfiguration(KioskError):
    """No configuration was found: `places` that were looked at."""

    code = "config.none"


class NotInstalled(KioskError):
    """Another file than the station's own was named: `file`, `installed`."""

    code = "config.not_installed"


class OfAnotherUser(KioskError):
    """The station is another user's: `file`, whose it is (`user`), and who asks
    (`you`).
    """

    code = "config.of_another_user"


class AuthorityElsewhere(KioskError):
    """What only an authority has was asked of a station whose is elsewhere: `file`."""

    code = "config.authority_elsewhere"


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
        if _is_there(place):
            return place
    raise NoConfiguration(places=", ".join(str(place) for place in places()))


def _is_there(place: Path) -> bool:
    """Say whether a file is there; in a folder that may not be entered, it may be."""
    try:
        return place.is_file()
    except PermissionError:
        return True


def installed(named: Path | None = None) -> Path:
    """Return the one file that this station was installed with. NotInstalled.

    It alone says who may what to somebody who works as another user: neither an
    option nor the environment names another one, and none is looked at.
    """
    one = SYSTEM / NAME
    for wanted in (named, os.environ.get(VARIABLE)):
        if wanted and os.path.abspath(wanted) != str(one):  # noqa: PTH100 - no look
            raise NotInstalled(file=str(wanted), installed=str(one))
    return one


def load(named: Path | None = None) -> Config:
    """Find and read the configuration. As `load_as`."""
    return load_as(Config, named)


def load_any(named: Path | None = None) -> AnyStation:
    """Find and read the configuration of a station, wherever its authority is.

    As `load_as`.
    """
    path = find(named).absolute()
    table = _own(path)
    if "authority" in table:
        return _spoken(toml_file.decode(table, FleetStation, file=path), path)
    return _checked(table, Config, path)


def load_as(kind: type[C], named: Path | None = None) -> C:
    """Find and read the configuration. NoConfiguration, `tomlfile.FileError`s,
    OfAnotherUser, AuthorityElsewhere.

    It names operators and files, so it must be this user's own (or root's): somebody
    who may run the program as this user cannot hand it another one.
    """
    path = find(named).absolute()
    table = _own(path)
    if "authority" in table:
        raise AuthorityElsewhere(file=str(path))
    return _checked(table, kind, path)


def _own(path: Path) -> dict[str, Any]:
    """Read a configuration as plain TOML. As `toml_file.load_own`, and OfAnotherUser:
    what would make it readable here would take it from the kiosk.
    """
    try:
        return toml_file.load_own(path)
    except toml_file.FileError as error:
        is_closed = isinstance(error.__cause__, PermissionError)
        if not is_closed and not isinstance(error, toml_file.NotOurs):
            raise
        owner, you = owner_of(path), os.geteuid()
        is_strange = you != _ROOT and owner_of(path.parent) == you
        if owner in (you, _ROOT) or is_strange:  # then the file is what is wrong
            raise
        raise OfAnotherUser(
            file=str(path), user=name_of(owner), you=name_of(you)
        ) from error


def _spoken(config: S, path: Path) -> S:
    """Let a configuration pass that offers no language twice. WrongValue."""
    languages = config.display.languages
    if len(set(languages)) < len(languages):
        raise toml_file.WrongValue(
            file=str(path),
            key="display.languages",
            expected='a list with no language twice, like ["de", "en"]',
        )
    return config


def _checked(table: dict[str, Any], kind: type[C], path: Path) -> C:
    config = _spoken(toml_file.decode(table, kind, file=path), path)
    if not (config.directory.dcs or config.directory.domain):
        raise toml_file.MissingKey(file=str(path), key="directory.dcs")
    if config.directory.keytab_file and not _is_principal(
        config.directory.service_account
    ):
        raise toml_file.WrongValue(
            file=str(path),
            key="directory.service_account",
            expected='name@domain where a keytab is named, like "svc@example.org"',
        )
    seen: set[str] = set()
    for index, operator in enumerate(config.operators):
        if operator.login in seen:
            raise toml_file.WrongValue(
                file=str(path),
                key=f"operators[{index}].login",
                expected="a login name that no other operator has",
            )
        seen.add(operator.login)
    return config


def _is_principal(account: str) -> bool:
    """Say whether Kerberos can know an account by that name: it knows no domain before
    it, and no DN; a bare name is one of its default realm.
    """
    return not any(sign in account for sign in "\\=,/")
