"""One canonical JSON for the journal, the hash chain and the vault's bookkeeping.

Keys sorted, no blanks, UTF-8 (in the spirit of RFC 8785; our records hold no
floats that two encoders would print differently).
"""

from __future__ import annotations

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def encode(value: object) -> bytes:
    """Return the canonical bytes of a record or of plain JSON values."""
    return _ENCODER.encode(value)


encode_into = _ENCODER.encode_into
"""Write the same into a `bytearray`, which has as many bytes then: for many values."""
