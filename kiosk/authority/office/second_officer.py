"""A second officer vouches for a key that no signature has proven."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.office import key_records, naming
from kiosk.authority.office.desk import Desk, has_done, is_own_card, refuse
from kiosk.authority.office.errors import NothingProposed
from kiosk.authority.office.importing import PROPOSED, Trust
from kiosk.authority.office.key_records import PossessionProof
from kiosk.authority.office.operators import Action, require
from kiosk.core.errors import Message
from kiosk.directory.asking import ask
from statemachine.lifecycle import State
from storage import walk
from storage.records import AuditEvent, Credential, PublicKey
from storage.registry import Tx


def confirm(
    desk: Desk, trust: Trust, credential: Credential, key: PublicKey
) -> Credential:
    """Put the proposed key on record, as a second officer.

    NotInRole, NothingProposed (or it has been confirmed since), Refused (the same
    officer), NamesAnother, DirectoryError, and what the judge of certificates raises.
    """
    require(desk.operator, Action.IMPORT)
    if not trust.judge.is_of(key):
        raise ProofFailed
    trust.judge.must_be_trusted(key.certificate, desk.parts.clock.now())
    holder = ask(desk.parts.directory, lambda dc: dc.account(credential.account_guid))
    naming.must_name(desk, trust.judge, key.certificate, holder, trust.named_by)
    first = _proposer(desk, credential.id, key)
    if has_done(desk, first):
        reason = Message("enrollment.second_officer_is_first")
        refuse(desk, "credential.key_refused", credential.id, reason)
    if is_own_card(desk, credential):
        reason = Message("refusal.own_card")
        refuse(desk, "credential.key_refused", credential.id, reason)

    def commit(tx: Tx) -> Credential:
        current = tx.credential(credential.id)
        if current.authentication_key is not None:
            raise NothingProposed  # it has been confirmed since
        if current.state in (State.REVOKED, State.RETIRED):
            raise NothingProposed  # for a card that is no more
        saved = tx.save_credential(
            replace(current, authentication_key=key, migrated=False)
        )
        key_records.key_recorded(
            tx,
            desk,
            current.id,
            key,
            PossessionProof.SECOND_OFFICER,
            first_officer=first.actor,
        )
        return saved

    return desk.parts.registry.run(commit)


def _proposer(desk: Desk, credential: str, key: PublicKey) -> AuditEvent:
    """Return who proposed just this key last, and when. NothingProposed."""
    wanted = key_records.key_evidence(key)["key_sha256"]
    proposals = walk.events(
        desk.parts.registry, credential=credential, kind=PROPOSED, newest_first=True
    )
    for event in proposals:
        if event.data.get("key_sha256") == wanted:
            return event
    raise NothingProposed
