"""A card of each family in a real reader, and other people's programs beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.values import KeyAlgorithm
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import Made, make_card
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.simulation.cards.options import Variant, of_variant, of_yubikey
from lab.cards.events import Watch
from lab.cards.pcscd import Pcscd
from lab.not_run import not_run

PIN, PUK = b"123456", b"12345678"
SUBJECT = "Ann Example"
SECONDS = 120
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a card is made, and under which number (hex) OpenSC knows its key."""

    make: Callable[[], Made[Any]]
    key: str


def _piv() -> Made[Any]:
    options = of_variant(Variant.A)
    return make_card(_seed(), subject=SUBJECT, pin=PIN, puk=PUK, options=options)


def _piv_rsa() -> Made[Any]:
    return make_card(
        _seed(),
        subject=SUBJECT,
        pin=PIN,
        puk=PUK,
        options=of_yubikey(12345678),
        algorithm=KeyAlgorithm.RSA_2048,
    )


def _gids() -> Made[Any]:
    admin_key = bytes(range(24))
    return make_gids_card(_seed(), subject=SUBJECT, pin=PIN, admin_key=admin_key)


def _idprime() -> Made[Any]:
    return make_idprime_card(_seed(), subject=SUBJECT, pin=PIN)


def _seed() -> SeededEntropy:
    return SeededEntropy(5)


KINDS = {
    "PIV P-256": Kind(_piv, "01"),
    "PIV RSA": Kind(_piv_rsa, "01"),
    "GIDS": Kind(_gids, "00"),
    "IDPrime": Kind(_idprime, "0001"),
}


class Inserted:
    """The card, where it is, and programs that find it there."""

    def __init__(self, pcscd: Pcscd, kind: Kind, home: Path) -> None:
        self.kind = kind
        self.made = kind.make()
        self.home = home
        self._environment = pcscd.environment

    def attempt(
        self, *command: str, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program, however it ends; `more` is added to its environment."""
        return subprocess.run(
            (program(command[0]), *command[1:]),
            env={**self._environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def run(self, *command: str, more: Mapping[str, str] | None = None) -> str:
        """Run a program and return what it printed; it must succeed."""
        done = self.attempt(*command, more=more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def inserted(pcscd: Pcscd, kind: Kind, home: Path) -> Iterator[Inserted]:
    """Put a card of that kind into the first reader."""
    there = Inserted(pcscd, kind, home)
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(there.made.card)
        watch.card().close()
    yield there


def program(name: str) -> str:
    """Return where a program is; what is missing is not run."""
    found = shutil.which(name) or shutil.which(name, path=_SBIN)
    if found is None:
        raise not_run(f"{name} is missing: sh scripts/setup/system.sh test")
    return found
