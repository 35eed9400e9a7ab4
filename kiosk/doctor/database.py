"""The database that holds the registry: durable, not alone, quick, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from kiosk.doctor import Finding, fail, ok, warn

_APART_SECONDS = 1.0
"""Nonces live two minutes and an authorisation one, by an authority's own clock."""


class DatabaseState(Protocol):
    """What is asked of a database: `storage.postgres.facts.Facts`."""

    @property
    def place(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def unsafe(self) -> str: ...
    @property
    def is_alone(self) -> bool: ...
    @property
    def finds_parts(self) -> bool: ...
    @property
    def ahead(self) -> float: ...


def database(facts: DatabaseState) -> Iterator[Finding]:
    """Judge what a database says of itself."""
    if facts.unsafe:
        yield fail("database", "database_unsafe", setting=facts.unsafe)
    else:
        yield ok(
            "database", "database_durable", place=facts.place, version=facts.version
        )
    if facts.is_alone:
        yield warn("database", "database_alone")
    if abs(facts.ahead) > _APART_SECONDS:
        yield warn("database", "database_clock", seconds=round(abs(facts.ahead)))
    if not facts.finds_parts:
        yield warn("database", "database_slow_search")
