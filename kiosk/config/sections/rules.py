"""What is remembered, and what this site allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import IPV4, PORT, Section


class RegistrySettings(Section, frozen=True, kw_only=True):
    """What is remembered: credentials, operations, evidence."""

    path: Path
    """The registry's file, on a local file system."""
    postgresql: str = ""
    """Where the registry is a database that several hosts share: libpq's connection
    string with every host of it, and no password (a `passfile`, or a client's
    certificate): "host=db1,db2,db3 dbname=pin_kiosk user=pin_kiosk
    passfile=/etc/pin-kiosk/pgpass". Then `path` only says beside what this station
    keeps its own files.
    """
    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]{8,64}\Z", examples=["berlin-2026-a1"])]
    """Made once for this registry and never changed: every escrowed secret is bound
    to it.
    """


class EvidenceSettings(Section, frozen=True, kw_only=True):
    """Where the evidence's checkpoints go, so that nobody here can shorten it."""

    command: tuple[str, ...] = ()
    """What takes a checkpoint elsewhere, on its standard input (["mail", "-s",
    "Checkpoint", "audit@x.org"]); for `kiosk audit head --send`.
    """
    syslog: Annotated[
        str,
        Meta(
            pattern=rf"^(/.+|{IPV4}:{PORT})?\Z",
            examples=["/dev/log"],
        ),
    ] = ""
    """A syslog that is told of every checkpoint when it is signed: the path of its
    socket (`/dev/log`), or ADDRESS:PORT (UDP); silent: none.
    """
    high_water_file: Path | None = None
    """Where this station keeps how far the registry had come; silent: beside the
    registry. On another disk it also tells of a snapshot of the machine that was
    put back.
    """


class VaultSettings(Section, frozen=True, kw_only=True):
    """The key that escrowed PUKs and management keys are encrypted with."""

    key_file: Path
    """Readable only by the user the kiosk runs as (mode 0600). Keep a copy
    elsewhere: without it every escrowed PUK is lost.
    """


class Templates(Section, frozen=True, kw_only=True):
    """What classes of credentials may do."""

    folder: Path
    """One file per template (*.toml). It counts when it is published (`kiosk template
    publish`): as a new version, and cards keep the one they were issued with.
    """


class LifecycleSettings(Section, frozen=True, kw_only=True):
    """What this site does not allow. Edges can be removed here, never added."""

    removed: tuple[str, ...] = ()
    """Edges as `kiosk lifecycle` lists them, EVENT STATE: e.g. "retire active"."""


class ProfileSettings(Section, frozen=True, kw_only=True):
    """What the site binds itself to beyond its templates."""

    fips_201: bool = False
    """FIPS 201-3: PINs of six digits at least, ten tries at most, no unattended
    unblock without a second factor. `kiosk doctor` says whether the site meets it.
    """
    second_factor: bool = False
    """An unblock with the holder's own PUK needs a code from the helpdesk besides."""
