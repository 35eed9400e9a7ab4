"""A domain controller for the fleet under load: a real Samba, where one is wanted.

The generator starts it and gives every station's card an account there; a serving
process reads where it is from a file beside its connection string.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from kiosk.core.clock import Clock
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.kept_lines import KEPT_SECONDS
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.ports import Directory
from scripts.bench._fleet_site import PINS, station_names
from storage.records import Sync
from storage.registry import Registry, Tx

if TYPE_CHECKING:
    from lab.domain.samba import SambaDomain

ACCOUNTS = "floor-accounts"
"""What the floor writes, one for each station: nobody's card follows it."""
IS_WANTED = os.environ.get("BENCH_DIRECTORY", "") == "samba"


@contextmanager
def domain(folder: Path, stations: int, registry: Registry) -> Iterator[int]:
    """Run one and move the stations' cards to it; the pid of its process, 0: none."""
    if not IS_WANTED:
        yield 0
        return
    from lab.domain.samba import SambaDomain

    with SambaDomain.start(folder / "dc") as samba:
        for name in station_names(stations):
            guid = samba.add_user().guid
            registry.run(partial(_move, name, guid))
        for name in station_names(stations):
            other = samba.add_user(password=PINS[0])
            with (folder / ACCOUNTS).open("a") as told:
                told.write(f"{name}\t{other.dn}\t{other.upn}\n")
        settings = msgspec.json.encode(samba.settings(), enc_hook=str)
        (folder / "directory.json").write_bytes(settings)
        yield _pid(samba)


def ldap_settings(folder: Path) -> LdapSettings | None:
    """Return how the domain that was started is reached; None: there is none."""
    told = folder / "directory.json"
    if not told.exists():
        return None
    return msgspec.json.decode(
        told.read_bytes(), type=LdapSettings, dec_hook=lambda kind, it: kind(it)
    )


def directory(folder: Path, clock: Clock) -> Directory | None:
    """Return the adapter to the domain that was started; None: there is none."""
    settings = ldap_settings(folder)
    if settings is None:
        return None
    kept = float(os.environ.get("BENCH_KEEP", KEPT_SECONDS))
    return LdapDirectory(dataclasses.replace(settings, keep_seconds=kept), clock)


def family(pid: int) -> list[int]:
    """Return a process and those that it has started."""
    if not pid:
        return []
    asked = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, check=True, text=True
    )
    pairs = [tuple(map(int, line.split())) for line in asked.stdout.splitlines()]
    found = [pid]
    for each in found:
        found += [own for own, parent in pairs if parent == each]
    return found


def _move(station: str, guid: str, tx: Tx) -> None:
    """Let a card follow an account whose password nobody has looked at yet."""
    known = tx.credential(f"credential-{station}")
    tx.save_credential(
        replace(known, account_guid=guid, sync=Sync.NEVER, last_sync=None)
    )


def _pid(samba: SambaDomain) -> int:
    return samba._running.pid  # noqa: SLF001 - how much it uses is asked of nobody else
