"""Which characters a PIN may have."""

from __future__ import annotations

from enum import StrEnum


class Alphabet(StrEnum):
    """Which characters a PIN may have."""

    DIGITS = "digits"
    PRINTABLE = "printable"
