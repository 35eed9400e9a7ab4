"""A station's key that is in its TPM: what the station's file says of it, and signing.

The file (0600) has no secret in it: which TPM, under which handle, and the public key,
by which it is noticed that the TPM signs with another one.
"""

from __future__ import annotations

import base64
import re
from typing import Annotated

import msgspec

from kiosk.authority.stations.keys import Algorithm, StationPublicKey
from kiosk.authority.stations.tpm import (
    FIRST_HANDLE,
    PLACES,
    TPM,
    Tpm,
    TpmError,
    digest_of,
)
from storage.known_types import known

_LAST_HANDLE = 0x817F_FFFF
"""Of the owner's range (TCG Registry of Reserved TPM 2.0 Handles, 2.3.1)."""


class TpmKeyOther(TpmError):
    """What is in the place of the station's key is another one: `tpm`."""

    code = "station.tpm_key_other"


class NotATpm(TpmError):
    """Nothing of that name can be a TPM: `tpm`."""

    code = "station.not_a_tpm"


class TpmKeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a station's file says of a key in a TPM."""

    tpm: Annotated[str, msgspec.Meta(pattern=PLACES)] = TPM
    handle: Annotated[int, msgspec.Meta(ge=FIRST_HANDLE, le=_LAST_HANDLE)]
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{87}=\Z")]
    """Base64 of the public point, uncompressed."""


class TpmKey:
    """`StationKey` whose private part nobody has but the TPM."""

    def __init__(self, tpm: Tpm, handle: int, public: StationPublicKey) -> None:
        self.tpm = tpm
        self._handle = handle
        self._public = public

    @classmethod
    def made(cls, tpm: Tpm) -> TpmKey:
        """Return a new one, which the TPM keeps. TpmErrors."""
        handle, point = tpm.make_key()
        return cls(tpm, handle, _public(point))

    @classmethod
    def of_text(cls, text: bytes) -> TpmKey:
        """Return the key that a file tells of. ValueError: it tells of none."""
        try:
            told = msgspec.toml.decode(text, type=known(TpmKeyFile))
        except msgspec.DecodeError:
            raise ValueError from None
        public = _public(base64.b64decode(told.key, validate=True))
        if not public.is_one():
            raise ValueError("not a point of the curve")
        return cls(Tpm(told.tpm), told.handle, public)

    def text(self) -> bytes:
        """Return what its file says."""
        key = base64.b64encode(self._public.raw).decode()
        return (
            "# The key of this station is in its TPM; nothing here is secret.\n"
            f'tpm = "{self.tpm.place}"\nhandle = {self._handle:#x}\nkey = "{key}"\n'
        ).encode()

    @property
    def public(self) -> StationPublicKey:
        """What the authority keeps of it."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """TpmErrors: nothing is signed, so nothing is sent."""
        signature = self.tpm.sign(self._handle, digest_of(message))
        if not self._public.has_signed(message, signature):
            raise TpmKeyOther(tpm=self.tpm.place)
        return signature

    def forget(self) -> None:
        """Let the TPM keep it no longer. TpmErrors."""
        self.tpm.forget(self._handle)


def tpm_at(place: str) -> Tpm:
    """Return the TPM of that name. NotATpm."""
    if re.match(PLACES, place) is None:
        raise NotATpm(tpm=place)
    return Tpm(place)


def _public(point: bytes) -> StationPublicKey:
    return StationPublicKey(algorithm=Algorithm.ECDSA_P256, raw=point)
