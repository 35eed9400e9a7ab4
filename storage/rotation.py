"""Sealing again what an older key of the vault has sealed."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from storage import walk
from storage.records import Credential
from storage.registry import Registry, Tx
from storage.vault import Vault

BATCH = 200
"""Credentials of one transaction: others can work in between."""
_TABLE = "credentials"


def reseal_all(
    registry: Registry, vault: Vault, told: Callable[[int], object] = lambda _more: None
) -> int:
    """Seal every escrowed secret with the current key; return how many were due.

    `told` hears how many credentials more were looked at.
    May be interrupted and run again. When it returns 0, older keys protect nothing
    any more but the hashes of codes that were made with the oldest, and for a day the
    answers that are kept for calls that come again.
    """
    ids = [each.id for each in walk.credentials(registry)]
    resealed = 0
    for begin in range(0, len(ids), BATCH):
        batch = ids[begin : begin + BATCH]
        resealed += registry.run(lambda tx, batch=batch: _batch(tx, vault, batch))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        told(len(batch))
    return resealed


def _batch(tx: Tx, vault: Vault, ids: list[str]) -> int:
    resealed = 0
    for each in ids:
        credential = tx.credential(each)
        changed, count = _resealed(vault, credential)
        if count:
            tx.save_credential(changed)
            resealed += count
    return resealed


def _resealed(vault: Vault, credential: Credential) -> tuple[Credential, int]:
    """Return the credential with every due envelope sealed again, and how many."""
    escrow = credential.escrow
    fields = {
        "escrow.current": escrow.current_sealed,
        "escrow.pending": escrow.pending_sealed,
        "transport_pin": credential.transport_pin_sealed,
        "admin_key": credential.admin_key_sealed,
        "admin_key_before": credential.admin_key_before_sealed,
        "pin_history": credential.pin_history_sealed,
    }
    due = {
        field: _again(vault, credential.id, field, envelope)
        for field, envelope in fields.items()
        if vault.needs_reseal(envelope)
    }
    fields.update(due)
    changed = replace(
        credential,
        escrow=replace(
            escrow,
            current_sealed=fields["escrow.current"],
            pending_sealed=fields["escrow.pending"],
        ),
        transport_pin_sealed=fields["transport_pin"],
        admin_key_sealed=fields["admin_key"],
        admin_key_before_sealed=fields["admin_key_before"],
        pin_history_sealed=fields["pin_history"],
    )
    return changed, len(due)


def _again(vault: Vault, record: str, field: str, envelope: str) -> str:
    place = {"table": _TABLE, "record": record, "field": field}
    plain = vault.open(envelope, **place)
    try:
        return vault.seal(plain, **place)
    finally:
        for index in range(len(plain)):
            plain[index] = 0
