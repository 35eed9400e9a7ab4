"""What a card costs: APDUs of a visit, and time per APDU behind a real pcscd.

The counts are held against fixed bounds. The time of one APDU through our client and
the real service is compared with the same APDUs sent by bare pyscard calls.
"""

from __future__ import annotations

import subprocess
import sys

from kiosk.cards.ports import Card, KeyAlgorithm, KeySlot
from kiosk.cards.simulated.factory import MadeCard, make_card
from kiosk.cards.simulated.reader import SimulatedReaders
from kiosk.entropy import SystemEntropy
from kiosk.secret import Secret
from scripts.bench import Row
from scripts.bench._card_latency import APDUS

PIN, NEW, PUK = b"481516", b"234291", b"75318642"


def run() -> list[Row]:
    """Count and measure."""
    return [
        _bound("recognise a card (APDUs)", _recognise(), 4),
        _bound("change + sign, P-256 (APDUs)", _change(KeyAlgorithm.P256), 7),
        _bound("change + sign, RSA-2048 (APDUs)", _change(KeyAlgorithm.RSA_2048), 9),
        _latency(),
    ]


def _bound(what: str, count: int, bound: int) -> Row:
    return Row(
        what=what, ours=count, other=bound, other_is="bound", unit="", target=1.0
    )


# --- counts --------------------------------------------------------------------


def _inserted(algorithm: KeyAlgorithm) -> tuple[SimulatedReaders, MadeCard, Card]:
    made = _made(algorithm)
    readers = SimulatedReaders()
    return readers, made, readers.insert(made.card)


def _made(algorithm: KeyAlgorithm) -> MadeCard:
    return make_card(
        SystemEntropy(), subject="Bench", pin=PIN, puk=PUK, algorithm=algorithm
    )


def _recognise() -> int:
    readers, _, card = _inserted(KeyAlgorithm.P256)
    card.recognise()
    return readers.faults.count


def _change(algorithm: KeyAlgorithm) -> int:
    readers, made, card = _inserted(algorithm)
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))
        session.sign(KeySlot.AUTHENTICATION, algorithm, b"statement")
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
        session.logout()
    return readers.faults.count


# --- time ----------------------------------------------------------------------


def _latency() -> Row:
    """Measure in a child process: this one may need another PC/SC service later."""
    command = [sys.executable, "-m", "scripts.bench._card_latency"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    bare, ours = (float(seconds) for seconds in done.stdout.split())
    per = 1000 / len(APDUS)
    return Row(
        what="transaction on the virtual reader, per APDU",
        ours=ours * per,
        other=bare * per,
        other_is="bare pyscard",
        unit="ms",
        target=1.5,
    )
