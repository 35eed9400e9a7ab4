"""Types that bytes are read into, each made known to msgspec by one thread at a time.

At a type's first use msgspec (0.22) notes what its fields are, and lets other threads
see that note while it is being written: two first uses at once end the process with
SIGSEGV. So a type is named to `known` wherever something is read into it.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")
_ONE_AT_A_TIME = threading.Lock()
_KNOWN = set[Any]()  # Any: what may stand in an annotation


def known(kind: Kind) -> Kind:
    """Return the type, which msgspec knows from now on. Any thread."""
    if kind not in _KNOWN:
        with _ONE_AT_A_TIME:
            msgspec.json.Decoder(kind)
            _KNOWN.add(kind)
    return kind
