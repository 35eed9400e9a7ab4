"""What is said of a registry that is, or was, older than its station has seen it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kiosk.core.errors import Message
from storage.audit import Head
from storage.high_water import HighWater, missing


def older_than_seen(
    seen: HighWater, heads: Mapping[str, Head], *, is_damaged: bool
) -> Iterator[Message]:
    """Yield what is wrong with it now, by the mark of how far it had come."""
    if lost := missing(seen.lanes, heads):
        yield Message("evidence.older", {"lost": lost})
    elif is_damaged:
        yield Message("evidence.unwitnessed")


def was_set_back(seen: HighWater) -> Iterator[Message]:
    """Yield what a station has found and gone on from: it stays true of what it has."""
    from kiosk.authority.proof.verification import moment

    if not seen.set_back_at:
        return
    when = moment(seen.set_back_at)
    key, lost = "registry_unwitnessed", {}
    if seen.lost:
        key, lost = "registry_set_back", {"lost": seen.lost}
    yield Message(f"doctor.{key}", {"when": when, **lost})
    yield Message(f"doctor.{key}_advice")
