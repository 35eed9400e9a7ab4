"""What a card costs in time: an APDU through our client behind a real pcscd.

Compared with the same APDUs sent by bare pyscard calls. How many there are counts
`card_apdus`.
"""

from __future__ import annotations

import subprocess
import sys

from scripts.bench import Row
from scripts.bench._card_latency import APDUS


def run() -> list[Row]:
    """Measure in a child process: this one may need another PC/SC service later."""
    command = [sys.executable, "-m", "scripts.bench._card_latency"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    bare, ours = (float(seconds) for seconds in done.stdout.split())
    per = 1000 / len(APDUS)
    return [
        Row(
            what="transaction on the virtual reader, per APDU",
            ours=ours * per,
            other=bare * per,
            other_is="bare pyscard",
            unit="ms",
            target=1.5,
        )
    ]
