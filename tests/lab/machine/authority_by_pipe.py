"""`authority_by_pipe.py FOLDER`: an authority in a process of its own, asked by a pipe.

It has the registry and the vault's key file of a folder, and no card: whatever of a
secret is in its memory has come out of the vault. A line of JSON asks, a line answers.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from kiosk.authority.escrow.escrowed_secrets import open_field
from kiosk.authority.local import LocalAuthority
from kiosk.authority.office import telephone_unblock
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.wire.messages import Served
from kiosk.config import OperatorRole
from kiosk.core.secret import Secret
from kiosk.simulation.world import World
from storage.tinydb_registry import TinyDbRegistry
from storage.vault import KeyFile, Vault

STATION = "kiosk-1"
HANNA = SignedIn(
    account="hanna@ad.test", roles=frozenset({OperatorRole.HELPDESK}), guid="hanna"
)


def town(folder: Path) -> World:
    """Return a world with Alice in it: the same in each process."""
    world = World(registry=TinyDbRegistry(folder / "registry.journal"))
    world.directory.add_account(
        "alice", display_name="Alice Arnold", password=Secret(b"Welcome-2026")
    )
    return world


def main(folder: Path) -> None:
    """Answer until nobody asks."""
    world = town(folder)
    world._vault = Vault(KeyFile(folder / "vault.keys"), "world")
    world.restart()
    kept: list[Secret] = []
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["call"]:
            case "keep":
                known = world.registry.run(lambda tx: tx.credential("credential-alice"))
                kept.append(
                    open_field(
                        world.parts, known.id, "admin_key", known.admin_key_sealed
                    )
                )
                answer = b"kept"
            case "telephone":
                answer = _answered(world, asked["body"])
            case call:
                served = Served(
                    lambda key: LocalAuthority(world.parts, STATION, key),
                    world.parts.sealed_for,
                )
                answer = served.answer(call, base64.b64decode(asked["body"]))
        sys.stdout.write(base64.b64encode(answer).decode() + "\n")
        sys.stdout.flush()


def _answered(world: World, spoken: str) -> bytes:
    desk = Desk(
        parts=world.parts, operator=HANNA, station="desk-1", second_for=frozenset()
    )
    known = world.registry.run(lambda tx: tx.credential("credential-alice"))
    with Secret(spoken.encode()) as challenge:
        return telephone_unblock.answer(desk, known, challenge).encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
