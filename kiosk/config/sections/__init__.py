"""The sections of a station's configuration, each setting described after it.

A secret is never a setting: a setting names the file that holds it. The descriptions
become the comments of the file that `kiosk init` writes (`kiosk.config.described`).
"""

from __future__ import annotations

from msgspec import Struct


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, strict about unknown keys."""
