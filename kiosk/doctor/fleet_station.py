"""The checks of a station whose authority is elsewhere: `kiosk doctor`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from kiosk.authority.client.remote import remote
from kiosk.authority.stations import key_file
from kiosk.authority.stations.tpm import TpmError
from kiosk.authority.stations.tpm_key import TpmKey
from kiosk.bootstrap import lines_of, module_of, monitor_of
from kiosk.config import FleetStation
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.doctor import Check, Finding, Health, cards, examine, host, ok
from kiosk.doctor.station import middleware_checks

_NOT_ASCII = re.compile(r"[^ -~]")
_MESSAGE = b"pin-kiosk doctor"


def checks_of(config: FleetStation) -> list[tuple[str, Check]]:
    """Return every check of such a station, in the order they are read."""
    told = config.authority
    folders = sorted({told.key_file.parent, told.ca_file.parent})
    return [
        ("card service", lambda: cards.readers(monitor_of(config))),
        *middleware_checks(config, module_of(config)),
        ("station key", lambda: key(config)),
        *(
            (f"authority {address}", partial(authority, config, address))
            for address in told.addresses
        ),
        ("file", lambda: host.secret_files([told.key_file])),
        ("folder", lambda: host.folders(folders)),
        ("core dumps", host.core_dumps),
        ("swap", host.swap),
    ]


def quick_look(config: FleetStation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the vendors' modules that are there, and the parts that fail.

    Looks at files and limits alone: it is told to the authority once a minute.
    """
    told, module = config.authority, module_of(config)
    folders = sorted({told.key_file.parent, told.ca_file.parent})
    findings = examine(
        [
            ("file", lambda: host.secret_files([told.key_file])),
            ("folder", lambda: host.folders(folders)),
            ("core dumps", host.core_dumps),
        ]
    )
    failing = {it.part for it in findings if it.health is Health.FAIL}
    there: tuple[str, ...] = ()
    if module is not None:
        if module.is_file():
            there = (_NOT_ASCII.sub("?", module.name)[:64],)
        else:
            failing.add("middleware")
    return there, tuple(sorted(failing))


def key(config: FleetStation) -> Iterator[Finding]:
    """The station's key signs: a TPM still has it."""
    found = key_file.read(config.authority.key_file)
    try:
        found.sign(_MESSAGE)
    except TpmError as error:
        yield Finding("station key", Health.FAIL, error.message)
        return
    if isinstance(found, TpmKey):
        yield ok("station key", "station_key_in_tpm", tpm=found.tpm.place)
    else:
        yield ok("station key", "station_key_in_file")


def authority(config: FleetStation, address: str) -> Iterator[Finding]:
    """Ask one address what it lacks, signed as this station: it may know it or not."""
    alone = replace(config, authority=replace(config.authority, addresses=(address,)))
    lines = lines_of(alone)
    try:
        faults = remote(lines, SystemEntropy(), SystemClock()).health()
    finally:
        lines.close()
    part = f"authority {address.removeprefix('https://')}"
    if not faults:
        yield ok(part, "authority_answers")
    for fault in faults:
        yield Finding(part, Health.FAIL, fault.message)
