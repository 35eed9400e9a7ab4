"""The files of a new station: configuration, vault key, registry, a first template.

Nothing that is there is ever overwritten. Should one file fail, those written
before it are removed again, so that the command can simply be repeated.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.authority.office import templates
from kiosk.config import Config, Operator, load
from kiosk.config.location import NAME, SYSTEM
from kiosk.config.render import Values, commented, toml_value
from kiosk.config.sections.station import STATION_NAME
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from kiosk.core.private_files import all_or_none, folders_too
from storage.journal_lock import lock_files
from storage.records import Template
from storage.vault import add_key

SYSTEM_DATA = Path("/var/lib/pin-kiosk")


class AlreadyThere(KioskError):
    """A file of this station exists already: `file`."""

    code = "config.already_there"


class NotWritable(KioskError):
    """A file could not be written: `file`, `reason`."""

    code = "config.not_writable"


@dataclass(frozen=True, slots=True)
class IssuerFiles:
    """What signs the certificates of cards issued here (PEM, both)."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a station's files are."""

    config: Path
    password: Path
    vault_key: Path
    registry: Path
    templates: Path
    issuer: Path
    issuer_key: Path

    @property
    def ca(self) -> Path:
        """Where the certificates are that the domain controllers are trusted by."""
        return self.config.with_name("ca.pem")

    @classmethod
    def below(cls, settings: Path, data: Path) -> Layout:
        """Return the usual layout below two folders (which may be the same)."""
        return cls(
            config=settings / NAME,
            password=settings / "directory.password",
            vault_key=data / "vault.key",
            registry=data / "registry.journal",
            templates=settings / "templates",
            issuer=data / "issuer.pem",
            issuer_key=data / "issuer.key",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAnswers:
    """What somebody has said of the site."""

    values: Values
    """Settings by section, in the place of examples."""
    operators: tuple[Operator, ...] = ()
    ca: str = ""
    """Certificates (PEM) of the authority behind the domain controllers' own."""


def usual_layout() -> Layout:
    """Return where this user's station belongs: the system's folders for root."""
    if os.geteuid() == 0:
        return Layout.below(SYSTEM, SYSTEM_DATA)
    import platformdirs  # only where no folder was named

    return Layout.below(
        platformdirs.user_config_path("pin-kiosk"),
        platformdirs.user_data_path("pin-kiosk"),
    )


def create(
    layout: Layout,
    found_registry: Callable[[Config], None],
    issuer: IssuerFiles | None = None,
    told: SiteAnswers | None = None,
) -> tuple[Path, ...]:
    """Write the files; return them. AlreadyThere, NotWritable, RegistryError.

    Folders are made with mode 0700 and files with 0600. `found_registry` creates the
    registry that a configuration names; `issuer` is for stations that issue cards;
    `told` is what somebody has said of the site.
    """
    contents = {
        layout.config: configuration(layout, told, issues=issuer is not None),
        layout.password: "",
        layout.templates / "staff.toml": templates.commented(Template(name="staff")),
        layout.vault_key: "",
    }
    if issuer is not None:
        contents[layout.issuer] = issuer.certificate.decode("ascii")
        contents[layout.issuer_key] = issuer.key.decode("ascii")
    if told is not None and told.ca:
        contents[layout.ca] = told.ca
    files = (*contents, layout.registry)
    for file in files:
        if file.exists():
            raise AlreadyThere(file=str(file))
    with folders_too(files), all_or_none() as written:
        for file, content in contents.items():
            _write(file, content, written)
        with _named(layout.vault_key):
            add_key(layout.vault_key)
        locks = [each for each in lock_files(layout.registry) if not each.exists()]
        written += [layout.registry, *locks]
        found_registry(load(layout.config))
    return files


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the file."""
    try:
        yield
    except OSError as error:
        reason = reason_of(error)
        raise NotWritable(file=str(file), reason=reason) from error


def _write(file: Path, content: str, written: list[Path]) -> None:
    """Create one file, durable when this returns."""
    written.append(file)  # before: Ctrl+C may come just behind it
    try:
        with _named(file):
            private_files.create(file, content.encode("utf-8"))
    except NotWritable:
        written.remove(file)  # it may be somebody else's
        raise


def configuration(
    layout: Layout, told: SiteAnswers | None = None, *, issues: bool
) -> str:
    """Return the text of a station's configuration."""
    values = _values(layout, issues=issues)
    if told is None:
        return commented(values)
    for section, settings in told.values.items():
        values[section] = {**values.get(section, {}), **settings}
    if told.ca:
        values["directory"] = {**values["directory"], "ca_file": layout.ca}
    people = (
        "\n[[operators]]\n"
        f"login = {toml_value(each.login)}\n"
        f"account = {toml_value(each.account)}\n"
        f"role = {toml_value(each.role)}\n"
        for each in told.operators
    )
    return commented(values) + "".join(people)


def _values(layout: Layout, *, issues: bool) -> dict[str, Mapping[str, object]]:
    """Return what must be set, as an example where only the site can know it."""
    enrollment = {
        "ca_certificate_file": layout.issuer,
        "ca_key_file": layout.issuer_key,
    }
    return {
        "station": {"name": _station_name()},
        "helpdesk": {"contact": "the helpdesk"},
        "directory": {
            "dcs": ("dc1.example.org", "dc2.example.org"),
            "base_dn": "DC=example,DC=org",
            "service_account": "svc-pin-kiosk@example.org",
            "password_file": layout.password,
        },
        "registry": {"path": layout.registry, "id": secrets.token_hex(8)},
        "vault": {"key_file": layout.vault_key},
        "templates": {"folder": layout.templates},
        "enrollment": enrollment if issues else {},
    }


def _station_name() -> str:
    """Return the host's name, if it can be a station's."""
    host = socket.gethostname().partition(".")[0]
    return host if re.fullmatch(STATION_NAME, host) else "kiosk"
