"""Processors that do not go to sleep between two messages while something is measured.

Who answers in the middle of a conversation waits for tens of microseconds; a processor
that slept meanwhile, a virtual one above all, takes longer to wake than the answer does
to be made, and how long says nothing of who talks. This is Linux' own way to ask for it
(its documentation, power/pm_qos_interface); root may.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

_DEVICE = "/dev/cpu_dma_latency"
_MICROSECONDS = struct.pack("=i", 0)
"""How long it may take to wake."""


@contextmanager
def kept_awake() -> Iterator[bool]:
    """Keep them awake until the end; False: this user may not, or nothing here can."""
    try:
        device = os.open(_DEVICE, os.O_WRONLY)
    except OSError:
        yield False
        return
    try:
        os.write(device, _MICROSECONDS)  # holds as long as the device is open
        yield True
    finally:
        os.close(device)
