"""A program inside a fresh root: a blank card, a virtual reader, a line a move.

    python reader_by_line.py PORT     then `insert` and `pull` on standard input

It ends when its standard input does.
"""

from __future__ import annotations

import sys

from kiosk.core.entropy import SystemEntropy
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.virtual_reader import VirtualReader, tcp


def main(port: int) -> None:
    """Move the card as told."""
    card = SimulatedPivCard(entropy=SystemEntropy())
    reader = VirtualReader(tcp("127.0.0.1", port))
    for line in sys.stdin:
        if line.strip() == "insert":
            reader.insert(card)
        else:
            reader.pull()
    reader.pull()


if __name__ == "__main__":
    main(int(sys.argv[1]))
