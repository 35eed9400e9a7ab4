"""Sealing again what an older key of the vault has sealed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from storage import walk
from storage.records import Credential
from storage.registry import Registry, Tx
from storage.vault import Vault, VaultError

BATCH = 200
"""Credentials of one transaction: others can work in between."""
_TABLE = "credentials"


class NotAllOpened(VaultError):
    """What is sealed of some credentials opens with no key: `cards`, their ids."""

    code: ClassVar[str] = "vault.not_all_opened"


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of it."""

    count: int
    """Secrets that were sealed again."""
    unopened: tuple[str, ...]
    """Ids of credentials with a secret that no key opens, which is as it was."""


def reseal_all(
    registry: Registry, vault: Vault, told: Callable[[int], object] = lambda _more: None
) -> Resealed:
    """Seal every escrowed secret with the current key that an older one has sealed.

    `told` hears how many credentials more were looked at.
    May be interrupted and run again. When none was due, older keys protect nothing
    any more but the hashes of codes that were made with the oldest, and for a day the
    answers that are kept for calls that come again.
    """
    ids = (each.id for each in walk.credentials(registry))
    count, unopened = 0, list[str]()
    while batch := list(itertools.islice(ids, BATCH)):
        done = registry.run(lambda tx, batch=batch: _batch(tx, vault, batch))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        count += done.count
        unopened += done.unopened
        told(len(batch))
    return Resealed(count, tuple(unopened))


def _batch(tx: Tx, vault: Vault, ids: list[str]) -> Resealed:
    count, unopened = 0, list[str]()
    for each in ids:
        credential = tx.credential(each)
        due = _due(vault, credential)
        opened = {field: again for field, again in due.items() if again}
        if opened:
            tx.save_credential(_with(credential, opened))
            count += len(opened)
        if len(opened) < len(due):
            unopened.append(each)
    return Resealed(count, tuple(unopened))


def envelopes(credential: Credential) -> dict[str, str]:
    """Return every envelope of a credential by its field; empty: there is none."""
    escrow = credential.escrow
    return {
        "escrow.current": escrow.current_sealed,
        "escrow.pending": escrow.pending_sealed,
        "transport_pin": credential.transport_pin_sealed,
        "admin_key": credential.admin_key_sealed,
        "admin_key_before": credential.admin_key_before_sealed,
        "pin_history": credential.pin_history_sealed,
    }


def _due(vault: Vault, credential: Credential) -> dict[str, str]:
    """Return every due envelope sealed again; empty: no key opens it."""
    return {
        field: _again(vault, credential.id, field, envelope)
        for field, envelope in envelopes(credential).items()
        if vault.needs_reseal(envelope)
    }


def _with(credential: Credential, opened: dict[str, str]) -> Credential:
    fields = envelopes(credential) | opened
    return replace(
        credential,
        escrow=replace(
            credential.escrow,
            current_sealed=fields["escrow.current"],
            pending_sealed=fields["escrow.pending"],
        ),
        transport_pin_sealed=fields["transport_pin"],
        admin_key_sealed=fields["admin_key"],
        admin_key_before_sealed=fields["admin_key_before"],
        pin_history_sealed=fields["pin_history"],
    )


def _again(vault: Vault, record: str, field: str, envelope: str) -> str:
    place = {"table": _TABLE, "record": record, "field": field}
    try:
        plain = vault.open(envelope, **place)
    except VaultError:
        return ""
    try:
        return vault.seal(plain, **place)
    finally:
        for index in range(len(plain)):
            plain[index] = 0
