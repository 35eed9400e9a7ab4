"""Records as rows and back: key columns beside the record as canonical JSON.

Certificates are taken out of a credential's document and put back when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from statemachine.lifecycle import State
from storage import canonical
from storage.known_types import known
from storage.records import Credential, Frequency, Operation, PublicKey, Record
from storage.view import IN_USE, fold

T = TypeVar("T")
Values = dict[str, Any]
"""A row to be written, by column; what psycopg adapts."""
Certificates = tuple[bytes, bytes]
"""Of the authentication key, of the card authentication key; empty if none."""

CREDENTIAL_COLUMNS = (
    *("id", "version", "card", "card_in_use", "holder_fold", "account_fold"),
    *("card_fold", "account_guid", "state", "sync", "template"),
    *("key_digest", "expires_in_use", "document"),
)
NO_CERTIFICATES: Certificates = (b"", b"")
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def text(record: Record) -> str:
    """Return a record as it is kept."""
    return canonical.encode(record).decode()


def record(kind: type[T], document: object) -> T:
    """Read a record. msgspec.ValidationError where it is of another version."""
    return decoder(kind)(str(document))


def decoder(kind: type[T]) -> Callable[[str], T]:
    """Return what `record` does for many records of one kind."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(known(kind))
    return decoder.decode


def is_storable(text: str) -> bool:
    """Say whether the database can hold it: no key that cannot be is ever found."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def credential_row(credential: Credential) -> Values:
    """Return the columns of a credential; its certificates are kept apart."""
    bare = replace(
        credential,
        authentication_key=_bare(credential.authentication_key),
        card_authentication_key=_bare(credential.card_authentication_key),
    )
    return {**credential_keys(credential), "document": text(bare)}


def credential_keys(credential: Credential) -> Values:
    """Return the columns beside the document."""
    holder, account = fold(credential.holder), fold(credential.account)
    card = fold(credential.card)
    is_retired = credential.state is State.RETIRED
    key = credential.authentication_key
    return {
        "id": credential.id,
        "version": credential.version,
        "card": credential.card,
        "card_in_use": None if is_retired else credential.card,
        "holder_fold": holder,
        "account_fold": account,
        "card_fold": card,
        "account_guid": credential.account_guid,
        "state": credential.state.value,
        "sync": credential.sync.value,
        "template": credential.template,
        "key_digest": (
            None if key is None or is_retired else hashlib.sha256(key.spki).digest()
        ),
        "expires_in_use": (
            credential.expires_at if credential.state in IN_USE else None
        ),
    }


def certificates(credential: Credential) -> Certificates:
    """Return what is kept apart of a credential."""
    own, of_card = credential.authentication_key, credential.card_authentication_key
    return (own.certificate if own else b"", of_card.certificate if of_card else b"")


def credential(document: object, own: object, of_card: object) -> Credential:
    """Put a credential together again: document and certificates (None: none)."""
    bare = record(Credential, document)
    if not own and not of_card:
        return bare
    return replace(
        bare,
        authentication_key=_with(bare.authentication_key, own),
        card_authentication_key=_with(bare.card_authentication_key, of_card),
    )


def operation_row(operation: Operation) -> Values:
    """Return the columns of an operation."""
    return {**operation_keys(operation), "document": text(operation)}


def operation_keys(operation: Operation) -> Values:
    """Return the columns beside the document."""
    return {
        "id": operation.id,
        "version": operation.version,
        "credential": operation.credential,
        "live_of": operation.credential if operation.ended_at is None else None,
        "event": operation.event,
        "started_at": operation.started_at,
    }


def frequency(id: str, row: tuple[object, ...]) -> Frequency:
    """Read a frequency: how many, since when, and when the last one was."""
    count, since, at = map(str, row)
    return Frequency(id=id, count=int(count), since=float(since), at=float(at))


def _bare(key: PublicKey | None) -> PublicKey | None:
    return replace(key, certificate=b"") if key and key.certificate else key


def _with(key: PublicKey | None, certificate: object) -> PublicKey | None:
    if key is None or not isinstance(certificate, bytes):
        return key
    return replace(key, certificate=certificate)
