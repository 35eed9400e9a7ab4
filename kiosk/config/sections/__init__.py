"""The sections of a station's configuration, each setting described after it.

A secret is never a setting: a setting names the file that holds it. The descriptions
become the comments of the file that `kiosk init` writes (`kiosk.config.described`).
"""

from __future__ import annotations

from msgspec import Struct

PORT = (
    r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}"
    r"|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
"""A port, as a pattern: 1 to 65535."""


_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
"""An address of version 4, as a pattern."""


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, strict about unknown keys."""
