"""One session's frames on their way, sealed both ways inside TLS.

Where a proxy ends the TLS it sees how long frames are and when they come. The station
makes a key for one session and signs for it when it asks for the line; the authority
seals the session's secret to it (HPKE, as `authority.proof.seal`). From that, by HKDF,
come a key for each direction. A frame is sealed with its number (AES-256-GCM), so one
that is lost, repeated, out of order or of another session opens nowhere; a secret
inside is sealed once more, so that it is nowhere in a text.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kiosk.authority.errors import NotUnderstood, ProofFailed, SealedSecretUnreadable
from kiosk.authority.proof import seal
from kiosk.authority.wire.codec import decode, encode
from kiosk.core.entropy import SystemEntropy
from kiosk.core.frame_line import LARGEST_FRAME, FrameLine, LineCut
from kiosk.core.secret import Secret

KEY_BYTES = 32
_CONTEXT = b"pin-kiosk desk v1\0"
_OFFER = b"pin-kiosk desk session v1\0"
_SYSTEM = SystemEntropy()
_STATION, _AUTHORITY = b"from the station", b"from the authority"
_NONCE_BYTES = 12


class Channel:
    """One end. One thread."""

    def __init__(self, line: FrameLine, secret: Secret, *, is_station: bool) -> None:
        """`secret`: the session's (32 bytes); the caller wipes it."""
        mine, others = (_STATION, _AUTHORITY) if is_station else (_AUTHORITY, _STATION)
        self._line = line
        self._out = _Direction(secret, mine)
        self._in = _Direction(secret, others)

    def send(self, frame: object) -> None:
        """Send a frame; its secrets stay the caller's. LineCut."""
        sealing = self._out.next()
        sealed = sealing.whole(encode(frame, sealing))
        if len(sealed) > LARGEST_FRAME:
            raise LineCut
        self._line.send(sealed)

    def receive(self, kind: Any, seconds: float) -> Any:  # Any: a union of frames
        """Return the next frame, which is one of `kind`; the caller wipes its secrets.

        LineCut: none came, or what came is none of these; nothing more is heard then.
        """
        sealed = self._line.receive(seconds)
        try:
            sealing = self._in.next()
            return decode(sealing.opened(sealed), kind, sealing)
        except (NotUnderstood, SealedSecretUnreadable, InvalidTag, ValueError):
            self.close()
            raise LineCut from None

    def close(self) -> None:
        """Leave."""
        self._line.close()


def offered(line: FrameLine, public: bytes) -> Channel:
    """Begin a session for the station that signed for this key. Authority's end.

    LineCut, also where that is no key.
    """
    with Secret(_SYSTEM.bytes(KEY_BYTES)) as secret:
        try:
            sealed = seal.sealed_for(secret, public_key=public, info=_OFFER)
        except ValueError:
            line.close()
            raise LineCut from None
        line.send(sealed)
        return Channel(line, secret, is_station=False)


def accepted(line: FrameLine, mine: seal.SealingKey, seconds: float) -> Channel:
    """Begin the session that is offered to this key. Station's end. LineCut."""
    try:
        secret = mine.open_for(line.receive(seconds), info=_OFFER)
    except ProofFailed:
        line.close()
        raise LineCut from None
    with secret:
        return Channel(line, secret, is_station=True)


class _Direction:
    """One direction's keys and the number of its next frame."""

    def __init__(self, secret: Secret, name: bytes) -> None:
        self._frames = AESGCM(_derived(secret, name + b", frames"))
        self._secrets = AESGCM(_derived(secret, name + b", secrets"))
        self._number = 0

    def next(self) -> _Sealing:
        """Return what seals, or opens, the next frame."""
        self._number += 1
        return _Sealing(self._frames, self._secrets, self._number)


class _Sealing:
    """`codec.Sealing` of one frame."""

    def __init__(self, frames: AESGCM, secrets: AESGCM, number: int) -> None:
        self._frames, self._secrets, self._number = frames, secrets, number

    def whole(self, plain: bytes) -> bytes:
        return self._frames.encrypt(_nonce(self._number, 0), plain, None)

    def opened(self, sealed: bytes) -> bytes:
        return self._frames.decrypt(_nonce(self._number, 0), sealed, None)

    def seal(self, secret: Secret, place: int) -> str:
        nonce = _nonce(self._number, place)
        return base64.b64encode(
            self._secrets.encrypt(nonce, secret.reveal(), None)
        ).decode()

    def open(self, sealed: str, place: int) -> Secret:
        try:
            text = base64.b64decode(sealed, validate=True)
            plain = bytearray(
                self._secrets.decrypt(_nonce(self._number, place), text, None)
            )
        except (InvalidTag, ValueError):
            raise SealedSecretUnreadable from None
        try:
            return Secret(plain)
        finally:
            plain[:] = bytes(len(plain))


def _derived(secret: Secret, name: bytes) -> bytes:
    kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=_CONTEXT + name)
    return kdf.derive(secret.reveal())


def _nonce(number: int, place: int) -> bytes:
    """Each key sees each pair once: frames have place 0, secrets their own key."""
    return number.to_bytes(_NONCE_BYTES - 4, "big") + place.to_bytes(4, "big")
