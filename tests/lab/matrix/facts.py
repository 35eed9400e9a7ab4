"""What is true after all, read where it is kept: on the cards, in the directory, in
the registry and its evidence. Nothing of it is asked of a screen.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kiosk.core.secret import Secret
from kiosk.simulation.world import World

Facts = dict[str, Any]


def facts_of(world: World) -> Facts:
    """Return everything that somebody could have changed by a key."""
    tables = world.registry._tables  # type: ignore[attr-defined]  # a MemoryRegistry
    return {
        "cards": {name: _card(it.made.card) for name, it in world.holders.items()},
        "writes": len(world.directory.writes),
        "wrong passwords": _wrong_passwords(world),
        "credentials": {
            each.id: [each.state, each.sync, each.escrow.exposed]
            for each in tables.credentials.values()
        },
        "codes": len(tables.approvals),
        "templates": {name: len(all_) for name, all_ in tables.templates.items()},
        "evidence": dict(Counter(event.kind for event in tables.events)),
    }


def _card(card: Any) -> list[Any]:
    if hasattr(card, "references"):
        pin = bytes(card.references.holder.value).rstrip(b"\xff")
    else:
        pin = bytes(card.pins._pin)
    return [pin.decode("latin-1"), card.pin_tries_left, card.puk_tries_left]


def _wrong_passwords(world: World) -> int:
    state = world.directory._state  # type: ignore[attr-defined]  # a SimulatedDirectory
    return sum(user.wrong_binds for user in state.dcs[0].users.values())


def knows(world: World, name: str, password: str) -> bool:
    """Say whether that is the holder's password in the directory now."""
    guid = world.holders[name].account_guid
    return world.directory.binds(guid, Secret(password.encode()))


def reasons(world: World) -> list[str]:
    """Return every reason that went into the evidence."""
    tables = world.registry._tables  # type: ignore[attr-defined]  # a MemoryRegistry
    return [event.data["reason"] for event in tables.events if "reason" in event.data]
