"""Keys that a card has just made, on their way to certificates; any family's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kiosk.cards.values import KeyAlgorithm, KeySlot


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key the card has just made, for whoever certifies it."""

    slot: KeySlot
    algorithm: KeyAlgorithm
    spki: bytes
    """DER SubjectPublicKeyInfo."""
    sign: Callable[[bytes], bytes]
    """Lets the card sign a message: for a certificate request, or a proof."""


Certify = Callable[[Sequence[NewKey]], Sequence[bytes]]
"""Returns the DER certificates for the new keys, in their order.

It is called once, inside the transaction, before any certificate is written.
"""
