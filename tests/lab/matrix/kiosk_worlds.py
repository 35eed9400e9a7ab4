"""The cards that somebody may bring to the self-service kiosk, one world for each."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.demo import CAST, Role, add_to
from kiosk.simulation.world import World
from statemachine.lifecycle import State
from storage.records import (
    CardType,
    FirstPin,
    PinAlphabet,
    PinPolicy,
    Sync,
    Template,
    UnblockMethod,
)

PIN, PUK, ADMIN_KEY = b"271828", b"48151623", bytes(range(24))
PRINTABLE_PIN = b"Blue-Sky7"
TEMPLATES = (
    Template(name="staff"),
    Template(name="by code", first_pin=FirstPin.ACTIVATION_CODE),
    Template(name="by puk", unblock=(UnblockMethod.HOLDER_PUK,)),
    Template(
        name="by telephone",
        card_type=CardType.GIDS,
        key_algorithm="RSA-2048",
        unblock=(UnblockMethod.ADMIN_KEY_PHONE,),
    ),
    Template(
        name="printable",
        card_type=CardType.GIDS,
        key_algorithm="RSA-2048",
        pin_policy=PinPolicy(
            minimum=8, maximum=15, alphabet=PinAlphabet.PRINTABLE, required_classes=3
        ),
    ),
)
GIDS = ("by telephone", "printable")
ELSEWHERE = Role(
    name="elsewhere",
    person="Ines Irving",
    pin=PIN,
)
BY_PUK = Role(name="by puk", person="Jack Jones", pin=PIN, template="by puk", tries=0)
ROLES = {role.name: role for role in (*CAST, ELSEWHERE, BY_PUK)}
SITUATIONS = (*ROLES, *GIDS, "stranger")
_GIDS_KEYS: dict[str, Any] = {}
"""RSA keys take long to find: one card of each kind is made, and given its PIN anew."""


def new_world(readers: SimulatedReaders, card: Any, authority: Any) -> World:
    """Return an empty world for these readers and workers."""
    world = World(
        readers=readers,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        card_worker=card,
        authority_worker=authority,
    )
    for template in TEMPLATES:
        world.add_template(template)
    return world


def give(world: World, situation: str) -> Any:
    """Put that person into the world and return their card."""
    if situation == "stranger":
        return world.make_card("stranger", pin=b"111222")[0].card
    if situation in GIDS:
        return _gids(world, situation)
    role = ROLES[situation]
    if role is BY_PUK:
        return _by_puk(world, role)
    card = add_to(world, role)
    if role is ELSEWHERE:
        guid = world.holders[role.name].account_guid
        world.directory.change_elsewhere(guid, Secret(b"by-another-hand"))
    return card


def _account(world: World, name: str, pin: bytes) -> str:
    account = name.replace(" ", "-")
    return world.directory.add_account(
        account, display_name=name.title(), password=Secret(pin)
    )


def _by_puk(world: World, role: Role) -> Any:
    made, puk = world.make_card(role.person, pin=role.pin, puk=PUK)
    made.card.set_tries(pin=role.tries)
    guid = _account(world, role.name, role.pin)
    world.register(role.name, made, puk, account_guid=guid, template=role.template)
    return made.card


def _gids(world: World, name: str) -> Any:
    pin = PRINTABLE_PIN if name == "printable" else PIN
    if name not in _GIDS_KEYS:
        _GIDS_KEYS[name] = make_gids_card(
            world.entropy, subject=name, pin=pin, puk=b"", admin_key=ADMIN_KEY
        )
    made = _GIDS_KEYS[name]
    made.card.power_on()
    made.card.set_pin(pin)
    if name == "by telephone":
        made.card.set_tries(pin=0)
    guid = _account(world, name, pin)
    world.register(
        name,
        made,
        None,
        account_guid=guid,
        template=name,
        admin_key=Secret(ADMIN_KEY),
    )
    return made.card


def set_state(world: World, name: str, **changes: Any) -> None:
    """Change a record as if it had been like that for long."""
    own = world.holders[name].credential

    def change(tx: Any) -> None:
        tx.save_credential(replace(tx.credential(own), **changes))

    world.registry.run(change)


def out_of_step(world: World, name: str) -> None:
    """An earlier change was interrupted."""
    set_state(world, name, sync=Sync.OUT_OF_STEP)


def suspended(world: World, name: str) -> None:
    """It is suspended."""
    set_state(world, name, state=State.SUSPENDED, suspended_from=State.ACTIVE)
