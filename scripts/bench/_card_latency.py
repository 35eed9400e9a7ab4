"""One transaction with a card behind a real pcscd: our client beside bare calls.

A process of its own, because the PC/SC library settles on one service for the life
of a process. Prints the median seconds of both, bare first.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.cards.ports import Card
from kiosk.core.entropy import SystemEntropy
from kiosk.simulation.cards.factory import MadeCard, make_card

LABORATORY = Path(__file__).parents[2] / "tests"
ROUNDS = 60
APDUS = (
    bytes.fromhex("00A4040005A00000030800"),  # SELECT
    bytes.fromhex("00CB3FFF055C035FC10200"),  # CHUID
    bytes.fromhex("00200080"),  # counter
)


def main() -> None:
    """Measure in turns, and print."""
    sys.path.insert(0, str(LABORATORY))
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ["PCSCLITE_CSOCK_NAME"] = f"{home}/run/pcscd.comm"
        with _real_card(Path(home)) as (made, card):
            times = _alternately(_bare(card.reader), _ours(made, card))
    print(*times)


@contextmanager
def _real_card(home: Path) -> Iterator[tuple[MadeCard, Card]]:
    """Put a card into a real pcscd of its own."""
    from lab.cards.events import Watch
    from lab.cards.pcscd import Pcscd

    from kiosk.cards.pcsc import PcscMonitor

    pcscd = Pcscd(home)
    pcscd.open()
    try:
        pcscd.start()
        made = make_card(SystemEntropy(), subject="B", pin=b"481516", puk=b"75318642")
        with Watch(PcscMonitor()) as watch:
            pcscd.readers[0].insert(made.card)
            yield made, watch.card()
    finally:
        pcscd.close()


def _ours(made: MadeCard, card: Card) -> Callable[[], None]:
    """Return one transaction as a visit has it: with a card that was recognised.

    The first session with any other asks more of it, and would send more than `_bare`.
    """
    card.recognise()

    def transaction() -> None:
        with card.session(made.identity) as session:
            session.tries()
            sent = len(made.card.commands)
        if sent != len(APDUS):
            raise RuntimeError(f"{sent} APDUs beside {len(APDUS)}")

    return transaction


def _bare(reader: str) -> Callable[[], None]:
    """Return the same APDUs in one transaction, with nothing around them."""
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    shared, t1 = scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1
    _, handle, _ = scard.SCardConnect(context, reader, shared, t1)

    def transaction() -> None:
        while scard.SCardBeginTransaction(handle):
            # Whoever had the card before has reset it.
            scard.SCardReconnect(handle, shared, t1, scard.SCARD_LEAVE_CARD)
        for apdu in APDUS:
            scard.SCardTransmit(handle, scard.SCARD_PCI_T1, list(apdu))
        scard.SCardEndTransaction(handle, scard.SCARD_RESET_CARD)

    return transaction


def _alternately(*jobs: Callable[[], None]) -> list[float]:
    """Return the median seconds of each, taken in turn."""
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(ROUNDS):
        for job, taken in zip(jobs, times, strict=True):
            began = time.perf_counter()
            job()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times]


if __name__ == "__main__":
    main()
