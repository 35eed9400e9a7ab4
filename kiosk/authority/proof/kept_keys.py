"""Sealing keys that any process of an authority opens: in the registry, by their ids.

An operation names the key that its station seals to, so whichever process is asked
next can open what comes, also after a restart. The private part is an envelope of the
vault. A key is used for new operations for an hour, and kept for longer than any of
them takes; then the registry sweeps it (`Registry.idle`).
"""

from __future__ import annotations

import threading

from kiosk.authority.errors import ProofFailed
from kiosk.authority.proof.seal import SealingKey
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from storage.errors import RecordMissing
from storage.records import SealingKeyRecord
from storage.registry import Registry, Tx
from storage.vault import Vault
from storage.view import View

USED_SECONDS = 3600.0
"""How long a key is named by new operations."""
_HELD = 16
"""Keys that a process has at hand."""


class KeptKeys:
    """`seal.SealingKeys` of an authority of several processes. Any thread."""

    def __init__(self, vault: Vault, clock: Clock, entropy: Entropy) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._lock = threading.Lock()
        self._held: dict[str, SealingKey] = {}
        self._newest: SealingKeyRecord | None = None

    def current(self, registry: Registry) -> SealingKey:
        with self._lock:
            newest = self._newest
        if newest is None or not self._is_used(newest):
            newest = registry.read(lambda view: view.newest_sealing_key())
            if newest is None or not self._is_used(newest):
                newest = registry.run(self._made)
            with self._lock:
                self._newest = newest
        return self._opened(newest)

    def named(self, view: View, id: str) -> SealingKey:
        with self._lock:
            held = self._held.get(id)
        if held is not None:
            return held
        try:
            return self._opened(view.sealing_key(id))
        except RecordMissing as error:
            raise ProofFailed from error

    def _is_used(self, key: SealingKeyRecord) -> bool:
        return abs(self._clock.now() - key.made_at) < USED_SECONDS

    def _made(self, tx: Tx) -> SealingKeyRecord:
        """Make a key, unless another process just has."""
        newest = tx.newest_sealing_key()
        if newest is not None and self._is_used(newest):
            return newest
        key = SealingKey(self._entropy)
        private = key.revealed()
        try:
            sealed = self._vault.seal(private, **_place(key.id))
        finally:
            private[:] = bytes(len(private))
        made = SealingKeyRecord(
            id=key.id,
            public=key.public,
            private_sealed=sealed,
            made_at=self._clock.now(),
        )
        tx.save_sealing_key(made)
        return made

    def _opened(self, record: SealingKeyRecord) -> SealingKey:
        """Return a key by its record. VaultError."""
        with self._lock:
            held = self._held.get(record.id)
        if held is not None:
            return held
        private = self._vault.open(record.private_sealed, **_place(record.id))
        try:
            key = SealingKey(private=private)
        finally:
            private[:] = bytes(len(private))
        with self._lock:
            self._held[record.id] = key
            while len(self._held) > _HELD:
                del self._held[next(iter(self._held))]
        return key


def _place(id: str) -> dict[str, str]:
    return {"table": "sealing_keys", "record": id, "field": "private"}
