"""Which escrowed PUKs may still be tried on a card."""

from __future__ import annotations

from storage.records import Escrow

PUK_TRIES = 3
"""What cards are personalised with; one is always left."""


def candidates(escrow: Escrow) -> list[tuple[str, str]]:
    """Return label and envelope of what to try, in order, leaving one try."""
    known = [("pending", escrow.pending_sealed), ("current", escrow.current_sealed)]
    left = PUK_TRIES - 1 - escrow.wrong_tries
    return [pair for pair in known if pair[1]][: max(left, 0)]


def can_release(escrow: Escrow) -> bool:
    """Say whether a PUK is in escrow that may still be tried."""
    return bool(candidates(escrow))


def is_used_up(escrow: Escrow) -> bool:
    """Say whether a PUK is in escrow that may not be tried any more."""
    return bool(escrow.current_sealed or escrow.pending_sealed) and not can_release(
        escrow
    )
