"""The risk report over ten thousand people of a real domain, on one connection.

The first run founds that domain, which takes minutes; later ones copy it. The kiosk's
own processor time says what we cost; the clock says what an administrator waits, which
is mostly the domain controller's work on the same machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from kiosk.authority.office.risk import report
from kiosk.authority.office.values import (
    Report,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory
from kiosk.simulation.world import World
from scripts.bench import Row
from statemachine.lifecycle import State
from storage.records import Template

LABORATORY = Path(__file__).parents[2] / "tests"
ON_REQUEST = True
"""`python -m scripts.bench risk`: founding that domain takes minutes."""
OWN_SECONDS = 10.0
SECONDS = 60.0
PATIENCE = 60.0
"""For an answer: the machine may be busy."""


def run() -> list[Row]:
    """Start the domain, put everybody on record, take the report."""
    if str(LABORATORY) not in sys.path:
        sys.path.insert(0, str(LABORATORY))
    from lab.domain.samba_many import CrowdedDomain

    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        CrowdedDomain.start(Path(folder) / "dc") as domain,
    ):
        assert isinstance(domain, CrowdedDomain)
        guids = domain.guids
        directory = LdapDirectory(
            domain.settings(receive_timeout=PATIENCE), SystemClock()
        )
        parts = replace(_everybody(guids), directory=directory)
        begun, before = time.perf_counter(), os.times()
        said = report(parts)
        waited, after = time.perf_counter() - begun, os.times()
    _must_be_whole(said, len(guids))
    own = after.user + after.system - before.user - before.system
    return [
        _row(f"risk report of {len(guids)}: our processor time", own, OWN_SECONDS),
        _row(f"risk report of {len(guids)}: all in all", waited, SECONDS),
    ]


def _row(what: str, seconds: float, bound: float) -> Row:
    return Row(
        what=what, ours=seconds, other=bound, other_is="bound", unit="s", target=1.0
    )


def _must_be_whole(said: Report, people: int) -> None:
    if said.accounts != people or said.unseen:
        raise AssertionError(f"{said.unseen} of {said.accounts} were not seen")


def _everybody(guids: list[str]) -> RequiredPorts:
    """Return a registry with a card for each, all like the first."""
    world = World()
    world.add_template(Template(name="staff"))
    first = world.directory.add_account("ann", password=Secret(b"246813"))
    made, puk = world.make_card("ann", pin=b"246813")
    world.register("ann", made, puk, account_guid=first, template="staff")
    like = world.credential("ann")
    everybody = [
        msgspec.structs.replace(
            like,
            id=f"{like.id}-{at}",
            card=f"{like.card}{at}",
            account_guid=guid,
            version=0,
        )
        for at, guid in enumerate(guids)
    ]
    retired = msgspec.structs.replace(like, state=State.RETIRED)
    world.parts.registry.run(
        lambda tx: [tx.save_credential(each) for each in (retired, *everybody)]
    )
    return world.parts
