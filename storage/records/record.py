"""What every record is: frozen, and strict about unknown fields."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable; change one with `msgspec.structs.replace`."""
