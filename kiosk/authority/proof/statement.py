"""What the card signs: one canonical encoding, never data chosen by the other side.

    context ‖ version ‖ nonce ‖ operation id ‖ kind ‖ credential id ‖ account
    objectGUID ‖ station id ‖ SHA-256(sealed)

Context and version are fixed bytes; each field follows as a two-byte big-endian
length and its bytes, so no two different statements share an encoding. A proof
of presence has a context of its own and can never pass for an authorisation.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from kiosk.authority.values import Challenge

_AUTHORISE = b"pin-kiosk statement\x00\x01"
_SIGN_IN = b"pin-kiosk sign-in\x00\x01"
_PRESENCE = b"pin-kiosk presence\x00\x01"
_FIELDS, _ACCOUNT, _GUID_BYTES = 7, 4, 16


class Named(NamedTuple):
    """What an authorising statement names."""

    nonce: bytes
    operation: str
    kind: str
    credential: str
    account: bytes
    """objectGUID, as `uuid.UUID.bytes` gives it."""
    station: str
    sealed_digest: bytes


class MalformedStatement(ValueError):
    """Bytes that are not an authorising statement of this version."""


def _encode(context: bytes, fields: tuple[bytes, ...]) -> bytes:
    return context + b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def authorisation(challenge: Challenge, sealed_digest: bytes) -> bytes:
    """Return the statement that authorises one write of the sealed value."""
    return _encode(
        _AUTHORISE,
        (
            challenge.nonce,
            challenge.operation.encode(),
            challenge.kind.encode(),
            challenge.credential.encode(),
            uuid.UUID(challenge.account_guid).bytes,
            challenge.station.encode(),
            sealed_digest,
        ),
    )


def presence(nonce: bytes, credential: str, station: str) -> bytes:
    """Return the statement that proves a card without its PIN."""
    return _encode(_PRESENCE, (nonce, credential.encode(), station.encode()))


def sign_in(nonce: bytes, credential: str, station: str) -> bytes:
    """Return the statement with which an operator's card signs in."""
    return _encode(_SIGN_IN, (nonce, credential.encode(), station.encode()))


def read(message: bytes) -> Named:
    """Take an authorising statement apart. MalformedStatement."""
    if not message.startswith(_AUTHORISE):
        raise MalformedStatement
    fields: list[bytes] = []
    at, end = len(_AUTHORISE), len(message)
    while at < end - 1:
        begin = at + 2
        at = begin + (message[at] << 8 | message[at + 1])
        fields.append(message[begin:at])
    if at != end or len(fields) != _FIELDS or len(fields[_ACCOUNT]) != _GUID_BYTES:
        raise MalformedStatement
    nonce, operation, kind, credential, account, station, digest = fields
    try:
        return Named(
            nonce,
            operation.decode(),
            kind.decode(),
            credential.decode(),
            account,
            station.decode(),
            digest,
        )
    except UnicodeDecodeError as error:
        raise MalformedStatement from error
