"""A request as both ends see it: what is signed, and what is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request of a station. Its body is in no repr."""

    method: str
    authority: str
    """HOST, or HOST:PORT where it is not 443; in small letters."""
    path: str
    query: str
    """Without the question mark; empty: none."""
    headers: Mapping[str, str]
    """By names in small letters."""
    body: bytes

    def __repr__(self) -> str:
        """Leave out what may not be written down."""
        return f"HttpRequest({self.method} {self.path})"
