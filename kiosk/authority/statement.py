"""What the card signs: one canonical encoding, never data chosen by the other side.

    context ‖ version ‖ nonce ‖ operation id ‖ kind ‖ credential id ‖ account
    objectGUID ‖ station id ‖ SHA-256(sealed)

Context and version are fixed bytes; each field follows as a two-byte big-endian
length and its bytes, so no two different statements share an encoding. A proof
of presence has a context of its own and can never pass for an authorisation.
"""

from __future__ import annotations

import uuid

from kiosk.authority.ports import Challenge

_AUTHORISE = b"pin-kiosk statement\x00\x01"
_PRESENCE = b"pin-kiosk presence\x00\x01"


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
