"""The secrets of a new card, and several keys as one secret for the escrow."""

from __future__ import annotations

from kiosk.cards.piv.management import HeldManagementKey, ManagementAlgorithm
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret


def new_management_key(
    entropy: Entropy, algorithm: ManagementAlgorithm
) -> HeldManagementKey:
    """Return a random key of the kind the card has."""
    return HeldManagementKey(algorithm, Secret(entropy.bytes(algorithm.key_size)))


def join(keys: list[Secret]) -> Secret:
    """Return several keys as one secret: each with its length before it."""
    joined = bytearray()
    for key in keys:
        joined.append(len(key))
        joined += key.reveal()
    try:
        return Secret(joined)
    finally:
        joined[:] = bytes(len(joined))


def split(joined: Secret) -> list[Secret]:
    """Return the keys that `join` put together."""
    keys: list[Secret] = []
    with memoryview(joined.reveal()) as view:
        start = 0
        while start < len(view):
            end = start + 1 + view[start]
            keys.append(Secret(view[start + 1 : end]))
            start = end
    return keys
