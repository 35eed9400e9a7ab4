"""APDUs that a card receives, from us and from other programs, through a real pcscd.

A process of its own, because the PC/SC library settles on one service for the life of a
process. The card counts. Prints what `Count` of the module beside it reads, as JSON.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.cards.ports import Card
from scripts.bench.card_apdus import Count, Other

if TYPE_CHECKING:
    from lab.cards.card_kinds import AnyMade
    from lab.cards.card_operations import Operation
    from lab.cards.pcscd import Pcscd

    from scripts.bench._other_card_tools import Tool

LABORATORY = Path(__file__).parents[2] / "tests"
SECONDS = 60
_FILES = ("data", "digest", "out")


class Missing(Exception):
    """A program that is compared is not installed."""


def main() -> None:
    """Count everything, and print."""
    sys.path.insert(0, str(LABORATORY))
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ["PCSCLITE_CSOCK_NAME"] = f"{home}/run/pcscd.comm"
        from lab.cards.card_operations import OPERATIONS
        from lab.cards.pcscd import Pcscd

        from scripts.bench._other_card_tools import TOOLS

        pcscd = Pcscd(Path(home))
        pcscd.open()
        try:
            desk = Desk(pcscd, Path(home))
            counts = [
                desk.count(each, TOOLS[each.kind].get(each.name, []))
                for each in OPERATIONS
            ]
        finally:
            pcscd.close()
    sys.stdout.buffer.write(msgspec.json.encode(counts))


class Desk:
    """A reader behind a real service, and whoever wants something of its card."""

    def __init__(self, pcscd: Pcscd, home: Path) -> None:
        self._pcscd = pcscd
        self._reader = pcscd.readers[0]
        self._files = {name: home / name for name in _FILES}
        self._files["data"].write_bytes(b"nonce")
        self._files["digest"].write_bytes(hashlib.sha256(b"nonce").digest())

    def _insert(self, operation: Operation) -> tuple[AnyMade, Card]:
        """Put a new card in, and wait until the service has seen it."""
        from lab.cards.events import Watch

        from kiosk.cards.pcsc import PcscMonitor

        if operation.kind.startswith("YubiKey"):
            self._pcscd.start_as_yubikeys()
        else:
            self._pcscd.start()
        made = operation.prepared()
        self._pcscd.clear()
        with Watch(PcscMonitor()) as watch:
            self._reader.insert(made.card)
            card = watch.card()
        self._reader.faults.set()
        return made, card

    def count(self, operation: Operation, tools: list[Tool]) -> Count:
        """Count one operation, done by us and by others."""
        return Count(
            what=f"{operation.kind}: {operation.name}",
            ours=self._ours(operation),
            at_most=operation.at_most,
            others=[
                Other(tool.name, self._theirs(operation, tool), tool.does_less)
                for tool in tools
            ],
        )

    def _ours(self, operation: Operation) -> int:
        """Return what our client costs the card."""
        made, card = self._insert(operation)
        try:
            return operation.cost(
                card, made.identity, lambda: self._reader.faults.count
            )
        finally:
            card.close()

    def _theirs(self, operation: Operation, tool: Tool) -> int:
        """Return what another program costs it; it has to succeed."""
        from lab.cards.card_kinds import NEW
        from lab.cards.card_operations import CHANGE, UNBLOCK

        made, card = self._insert(operation)
        card.close()
        for line in tool.lines:
            self._run(line)
        if operation.name.startswith((CHANGE, UNBLOCK)):
            assert made.card.has_pin(NEW), tool.lines
        return self._reader.faults.count

    def _run(self, line: str) -> None:
        from lab.cards.card_kinds import ADMIN_KEY, NEW, PIN, PUK
        from lab.cards.card_operations import SERIAL
        from lab.cards.judges import ykcs11

        words = line.split()
        if shutil.which(words[0]) is None:
            raise Missing(words[0])
        values = {
            "pin": PIN.decode(),
            "new": NEW.decode(),
            "puk": PUK.decode(),
            "admin": ADMIN_KEY.hex(),
            "serial": str(SERIAL),
            "ykcs11": ykcs11() if "{ykcs11}" in line else "",
            **{name: str(path) for name, path in self._files.items()},
        }
        done = subprocess.run(
            [word.format(**values) for word in words],
            env=self._pcscd.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{line}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
