"""The site that the fleet's load is put on: made alike in each process that needs it.

Cards, accounts and the vault's key come from one seed, so that the generator and every
serving process have the same ones without asking each other.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.keys import Ed25519Key
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SeededEntropy, SystemEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.world import World
from storage.records import PinPolicy, Template
from storage.registry import Registry

LABORATORY = Path(__file__).parents[2] / "tests"
if str(LABORATORY) not in sys.path:
    sys.path.insert(0, str(LABORATORY))

PINS = ("271828", "314159", "926535", "846257")
HISTORY = int(os.environ.get("BENCH_PIN_HISTORY", "0"))
"""How many earlier PINs may not return: each is compared by scrypt."""
_BEGAN = 1_767_261_600.0


class StandingClock(SystemClock):
    """The machine's clock, once the site is made: until then it is the same time."""

    def __init__(self) -> None:
        self._runs = False

    def run(self) -> None:
        self._runs = True

    def now(self) -> float:
        return super().now() if self._runs else _BEGAN


@dataclass(frozen=True, slots=True)
class FleetSite:
    """What a process has of the site."""

    parts: RequiredPorts
    cards: Mapping[str, SimulatedPivCard]
    """By the station where they are inserted."""


def station_key(name: str) -> Ed25519Key:
    """Return a station's key: of a measurement, so anybody may compute it."""
    seed = hashlib.sha256(name.encode()).digest()
    return Ed25519Key(Ed25519PrivateKey.from_private_bytes(seed))


def station_names(count: int) -> list[str]:
    return [f"kiosk-{number}" for number in range(count)]


def site(stations: int, registry: Registry | None = None) -> FleetSite:
    """Make the site; put its cards on record where a registry is given."""
    entropy, clock = SeededEntropy(7), StandingClock()
    domain = SimulatedDirectory(clock, entropy)
    world = World(clock=clock, entropy=entropy, domain=domain, registry=registry)
    policy = PinPolicy(history=HISTORY)
    world.add_template(Template(name="staff", pin_policy=policy))
    cards: dict[str, SimulatedPivCard] = {}
    for number, name in enumerate(station_names(stations)):
        guid = domain.add_account(
            f"user{number}", display_name=f"User {number}", password=_first()
        )
        made, puk = world.make_card(f"user{number}", pin=PINS[0].encode())
        world.register(name, made, puk, account_guid=guid, template="staff")
        cards[name] = made.card
    clock.run()
    system = SystemEntropy()
    parts = replace(world.parts, entropy=system, sealing=SealingKey(system))
    return FleetSite(parts, cards)


def _first() -> Secret:
    return Secret(PINS[0].encode())
