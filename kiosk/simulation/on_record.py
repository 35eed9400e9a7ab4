"""Simulated people and their cards, put on record as an issuer or an import would."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from kiosk.authority.escrow import escrowed_secrets
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.core.secret import Secret
from kiosk.directory.values import Account
from kiosk.simulation.cards.factory import KeyMade, Made
from kiosk.simulation.face_settings import STATION
from statemachine.lifecycle import State
from storage.records import (
    AuditDraft,
    Credential,
    Escrow,
    LastSync,
    PublicKey,
    Sync,
)
from storage.registry import Tx

OPERATOR = "helpdesk"
"""Who releases and resumes in the laboratory."""
OFFICER = "enrollment office"
"""Who has issued its cards: nobody of the helpdesk may."""


@dataclass(slots=True)
class SimulatedHolder:
    """A person, their card and what the registry calls it."""

    name: str
    made: Made[Any]
    credential: str
    account_guid: str
    codes: dict[str, Secret] = field(default_factory=dict)


def new_credential(
    parts: RequiredPorts,
    own: str,
    made: Made[Any],
    puk: Secret | None,
    *,
    account: Account,
    template: str,
    state: State,
    sync: Sync,
    keyless: bool,
    transport_pin: Secret | None,
    admin_key: Secret | None,
) -> Credential:
    """Return what goes on record of a card; `own` is the credential's id."""

    def sealed(field: str, secret: Secret | None) -> str:
        if secret is None:
            return ""
        return escrowed_secrets.seal_field(parts, own, field, secret)

    now = parts.clock.now()
    is_in_step = sync is Sync.IN_STEP
    transport = sealed("transport_pin", transport_pin)
    proving = made.card_authentication
    return Credential(
        id=own,
        card=made.identity.key,
        holder=account.display_name,
        account=account.user_principal_name,
        account_guid=account.guid,
        template=template,
        template_version=1,
        state=state,
        suspended_from=State.ACTIVE if state is State.SUSPENDED else None,
        sync=sync,
        authentication_key=None if keyless else _key("9A", made.authentication),
        card_authentication_key=_key("9E", proving) if proving else None,
        last_sync=last_sync(account, dc="dc1.ad.test", at=now) if is_in_step else None,
        pin_changed_at=None if state is State.ISSUED else now,
        escrow=Escrow(current_sealed=sealed("escrow.current", puk)),
        admin_key_sealed=sealed("admin_key", admin_key),
        transport_pin_sealed=transport,
        migrated=keyless,
        issued_at=now,
    )


def _key(slot: str, made: KeyMade) -> PublicKey:
    return PublicKey(
        slot=slot,
        algorithm=made.algorithm,
        spki=made.spki,
        certificate=made.certificate,
    )


def last_sync(account: Account, *, dc: str, at: float) -> LastSync:
    """Return what is recorded after a write that left the account like this."""
    seen = in_step.seen(account, dc)
    mark = in_step.recorded(seen)
    return LastSync(at=at, dc=dc, pwd_last_set=seen.pwd_last_set, mark=mark)


def record(tx: Tx, credential: Credential, now: float) -> None:
    """Save a credential, with the evidence that its key went on record."""
    tx.save_credential(credential)
    tx.audit(
        AuditDraft(
            at=now,
            station=STATION,
            kind="lifecycle.issue",
            actor=OFFICER,
            credential=credential.id,
        )
    )
    if credential.authentication_key is not None:
        thumb = hashlib.sha256(credential.authentication_key.spki).hexdigest()
        tx.audit(
            AuditDraft(
                at=now,
                station=STATION,
                kind="credential.key_recorded",
                actor=OFFICER,
                credential=credential.id,
                data={"key_sha256": thumb},
            )
        )
