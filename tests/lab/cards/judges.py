"""Programs nobody here wrote, with a simulated card in a real reader to judge."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.ports import Card
from kiosk.cards.values import KeyAlgorithm
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.options import PivOptions
from lab.cards.events import Watch
from lab.cards.pcscd import Pcscd
from lab.not_run import not_run

PIN, PUK = b"123456", b"12345678"
SECONDS = 60
_PACKAGES = {"yubico-piv-tool": "yubico-piv-tool", "ykman": "yubikey-manager"}
"""Where a program comes from; else from opensc."""
_MODULES = ("/usr/lib/*/libykcs11.so", "/usr/lib/libykcs11.so")


class Judge:
    """A card in a real reader, and other people's tools."""

    def __init__(self, pcscd: Pcscd, made: MadeCard, card: Card, home: Path) -> None:
        self._pcscd = pcscd
        self.made = made
        self.card = card
        self.home = home

    def run(self, *command: str) -> str:
        """Run a tool and return what it printed; it must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a tool, however it ends."""
        if shutil.which(command[0]) is None:
            package = _PACKAGES.get(command[0], "opensc")
            raise not_run(f"{command[0]} is missing: apt-get install {package}")
        return subprocess.run(
            command,
            env=self._pcscd.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def believes(self, *command: str) -> bool:
        """Say whether a tool accepts the signature that it is given."""
        return accepted(self.attempt(*command))

    def cost(self, *command: str) -> int:
        """Return how many APDUs a tool sends; it must succeed."""
        faults = self._pcscd.readers[0].faults
        faults.set()
        self.run(*command)
        return faults.count


def accepted(done: subprocess.CompletedProcess[str]) -> bool:
    """Say whether a tool that verifies signatures accepted what it was given.

    Some versions end with 0 whatever they found, and others say it elsewhere.
    """
    said = done.stdout + done.stderr
    return done.returncode == 0 and "Invalid signature" not in said


@contextmanager
def judged(
    pcscd: Pcscd,
    options: PivOptions,
    home: Path,
    algorithm: KeyAlgorithm = KeyAlgorithm.P256,
) -> Iterator[Judge]:
    """Put Ann's card into the first reader."""
    made = make_card(
        SeededEntropy(9),
        subject="Ann Example",
        pin=PIN,
        puk=PUK,
        options=options,
        algorithm=algorithm,
    )
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(made.card)
        card = watch.card()
    try:
        yield Judge(pcscd, made, card, home)
    finally:
        card.close()


def opensc() -> str:
    """Return where OpenSC's PKCS#11 module is."""
    found = sorted(Path("/").glob("usr/lib/*/opensc-pkcs11.so"))
    if found:
        return str(found[0])
    raise not_run("opensc-pkcs11.so is missing: apt-get install opensc")


def ykcs11(patterns: Sequence[str] = _MODULES) -> str:
    """Return where Yubico's PKCS#11 module is."""
    for pattern in patterns:
        found = sorted(Path("/").glob(pattern.removeprefix("/")))
        if found:
            return str(found[0])
    raise not_run("libykcs11 is missing: apt-get install ykcs11")
