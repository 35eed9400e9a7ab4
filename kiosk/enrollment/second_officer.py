"""A second officer vouches for a key that no signature has proven."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from msgspec.structs import replace

from kiosk.authority.office.desk import Desk, has_done, is_own_card, refuse
from kiosk.authority.office.operators import Action, require
from kiosk.cards.ports import KeySlot
from kiosk.certificates import card_certificates
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.errors import KioskError, Message
from kiosk.directory.asking import ask
from kiosk.enrollment import naming, record
from kiosk.enrollment.importing import PROPOSED
from kiosk.enrollment.record import PossessionProof
from storage import walk
from storage.records import AuditEvent, Credential, PublicKey
from storage.registry import Tx


class NothingProposed(KioskError):
    """No first officer has proposed just this key for the credential."""

    code = "enrollment.nothing_proposed"


def confirm(
    desk: Desk,
    credential: Credential,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    named_by: NamedBy = NamedBy.UPN,
) -> Credential:
    """Put the proposed key on record, as a second officer.

    NotInRole, NothingProposed, Refused (the same officer), CertificateError,
    DirectoryError.
    """
    require(desk.operator, Action.IMPORT)
    now = desk.parts.clock.now()
    card_certificates.must_be_trusted(certificate, anchors, now=now)
    holder = ask(desk.parts.directory, lambda dc: dc.account(credential.account_guid))
    naming.must_name(desk, certificate, holder, named_by)
    key = record.key_of(certificate, KeySlot.AUTHENTICATION)
    first = _proposer(desk, credential.id, key)
    if has_done(desk, first):
        reason = Message("enrollment.second_officer_is_first")
        refuse(desk, "credential.key_refused", credential.id, reason)
    if is_own_card(desk, credential):
        reason = Message("refusal.own_card")
        refuse(desk, "credential.key_refused", credential.id, reason)

    def commit(tx: Tx) -> Credential:
        current = tx.credential(credential.id)
        saved = tx.save_credential(
            replace(current, authentication_key=key, migrated=False)
        )
        record.key_recorded(
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
    wanted = record.key_evidence(key)["key_sha256"]
    proposals = walk.events(
        desk.parts.registry, credential=credential, kind=PROPOSED, newest_first=True
    )
    for event in proposals:
        if event.data.get("key_sha256") == wanted:
            return event
    raise NothingProposed
