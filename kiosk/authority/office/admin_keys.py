"""An administrator key goes on record: only after the card has shown that it has it."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import admin_key, admin_unblock
from kiosk.authority.escrow.escrowed_secrets import seal_field
from kiosk.authority.office.desk import Desk, drafted, is_own_card, refuse
from kiosk.authority.office.operators import Action, require
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from storage.records import Credential
from storage.registry import Tx

FACTORY = bytes(admin_key.KEY_BYTES)
"""What cards leave the factory with: known to everybody."""
KEPT = "credential.admin_key_kept"
"""The audit event: a card has shown that it has the key in escrow."""


def judge(desk: Desk, credential: Credential, key: Secret) -> None:
    """Let pass a key (24 bytes) that may be kept, once its card has shown it.

    NotInRole, Refused, DirectoryError.
    """
    require(desk.operator, Action.IMPORT)
    if is_own_card(desk, credential):
        reason = Message("refusal.own_card")
        refuse(desk, "credential.admin_key_refused", credential.id, reason)
    if key.reveal() == FACTORY:
        raise Refused(Message("enrollment.admin_key_factory"))


def keep(desk: Desk, credential: Credential, key: Secret) -> Credential:
    """Escrow a key that its card has shown. As `judge`."""
    judge(desk, credential, key)
    sealed = seal_field(desk.parts, credential.id, admin_unblock.FIELD, key)
    noted = drafted(desk, KEPT, credential.id, "", {})

    def commit(tx: Tx) -> Credential:
        noted(tx)
        current = tx.credential(credential.id)
        return tx.save_credential(replace(current, admin_key_sealed=sealed))

    return desk.parts.registry.run(commit)
