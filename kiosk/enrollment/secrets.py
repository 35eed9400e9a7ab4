"""The secrets of a new card: made here, random, and sealed for the registry."""

from __future__ import annotations

from kiosk.authority.required_ports import RequiredPorts
from kiosk.cards.piv.management import HeldManagementKey, ManagementAlgorithm
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.pin.weak import is_weak

PIN_DIGITS = 8
_TABLE = "credentials"
PENDING_PUK, CURRENT_PUK = "escrow.pending", "escrow.current"
TRANSPORT_PIN, ADMIN_KEY = "transport_pin", "admin_key"
ADMIN_KEY_BEFORE = "admin_key_before"
"""Fields of an envelope, as `kiosk.authority.escrow.escrowed_secrets` opens them."""


def new_pin(entropy: Entropy) -> Secret:
    """Return eight random digits that are not easy to guess."""
    while True:
        pin = Secret(bytes(0x30 + entropy.below(10) for _ in range(PIN_DIGITS)))
        if not is_weak(pin.reveal()):
            return pin
        pin.wipe()


def new_management_key(
    entropy: Entropy, algorithm: ManagementAlgorithm
) -> HeldManagementKey:
    """Return a random key of the kind the card has."""
    return HeldManagementKey(algorithm, Secret(entropy.bytes(algorithm.key_size)))


def seal(parts: RequiredPorts, credential: str, field: str, value: Secret) -> str:
    """Return an envelope bound to one field of one credential."""
    return parts.vault.seal(
        value.reveal(), table=_TABLE, record=credential, field=field
    )


def unseal(parts: RequiredPorts, credential: str, field: str, envelope: str) -> Secret:
    """Return what an envelope holds; the caller wipes it. VaultError."""
    plain = parts.vault.open(envelope, table=_TABLE, record=credential, field=field)
    try:
        return Secret(plain)
    finally:
        plain[:] = bytes(len(plain))


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
