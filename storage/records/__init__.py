"""The records of the registry: frozen values, strict about unknown fields.

Times are seconds since 1970 UTC. `version` counts saves of a record and is
compared on the next one (optimistic concurrency); a new record has version 0.
Fields named `…_sealed` hold an envelope of the vault, never a plain secret.
"""

from storage.records.credentials import (
    Credential,
    Escrow,
    LastSync,
    PasswordMark,
    PublicKey,
    Sync,
)
from storage.records.evidence import AuditDraft, AuditEvent
from storage.records.fleet import (
    EnrollmentToken,
    Frequency,
    SealingKeyRecord,
    Slip,
    StationRecord,
    StationStanding,
    one_more,
)
from storage.records.operations import (
    Approval,
    ApprovalKind,
    Authorisation,
    Nonce,
    NoncePurpose,
    Operation,
    Repeat,
)
from storage.records.record import Record
from storage.records.templates import (
    CardAccess,
    CardType,
    FirstPin,
    ImportedPuk,
    Keyless,
    PinAlphabet,
    PinPolicy,
    Template,
    UnblockMethod,
)

__all__ = [
    "Approval",
    "ApprovalKind",
    "AuditDraft",
    "AuditEvent",
    "Authorisation",
    "CardAccess",
    "CardType",
    "Credential",
    "EnrollmentToken",
    "Escrow",
    "FirstPin",
    "Frequency",
    "ImportedPuk",
    "Keyless",
    "LastSync",
    "Nonce",
    "NoncePurpose",
    "Operation",
    "PasswordMark",
    "PinAlphabet",
    "PinPolicy",
    "PublicKey",
    "Record",
    "Repeat",
    "SealingKeyRecord",
    "Slip",
    "StationRecord",
    "StationStanding",
    "Sync",
    "Template",
    "UnblockMethod",
    "one_more",
]
