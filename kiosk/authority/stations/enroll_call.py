"""What a station sends to become one of the fleet, and what it hears."""

from __future__ import annotations

from typing import Annotated

import msgspec

from kiosk.authority.errors import StationKeyUnusable, TokenRefused
from kiosk.authority.stations.keys import Algorithm, StationPublicKey
from kiosk.core.secret import Secret

PATH = "/v1/enroll"
_LONGEST = 64
"""Characters of a token, as people may write it."""


class EnrollCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a station sends. It is signed with the key that it names."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST)]
    algorithm: Annotated[str, msgspec.Meta(max_length=32)]
    public_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=65)]
    role: Annotated[str, msgspec.Meta(max_length=32)]
    """What the station is configured to be."""

    def __repr__(self) -> str:
        """Leave out the token."""
        return f"EnrollCall({self.algorithm}, {self.role})"

    def key(self) -> StationPublicKey:
        """Return the key. StationKeyUnusable."""
        try:
            algorithm = Algorithm(self.algorithm)
        except ValueError:
            raise StationKeyUnusable from None
        key = StationPublicKey(algorithm=algorithm, raw=self.public_key)
        if not key.is_one():
            raise StationKeyUnusable
        return key


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What a station hears."""

    station: str
    name: str
    role: str


def typed_token(token: Secret) -> str:
    """Return what was typed. TokenRefused: nothing like it was ever given."""
    try:
        typed = token.reveal().decode("ascii").strip()
    except UnicodeDecodeError:
        raise TokenRefused from None
    if not 1 <= len(typed) <= _LONGEST:
        raise TokenRefused
    return typed


def call_body(token: Secret, key: StationPublicKey, role: str) -> bytes:
    """Return what a station sends. TokenRefused."""
    return msgspec.json.encode(
        EnrollCall(
            token=typed_token(token),
            algorithm=key.algorithm,
            public_key=key.raw,
            role=role,
        )
    )
