"""An object of the directory as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Entry = Mapping[str, Sequence[bytes]]
"""An object's attributes as they came, by name in any case."""
