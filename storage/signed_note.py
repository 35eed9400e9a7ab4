"""Signed notes: text that any tool for C2SP notes verifies (c2sp.org/signed-note).

A note is a text, a blank line, and lines `— <name> <base64 of key id and signature>`.
The signature is Ed25519 over the text with its last newline. A key that verifies is
told as `<name>+<key id>+<base64 of 0x01 and the public key>`; its id is the beginning
of SHA-256 over name, newline, 0x01 and the public key. Pure; a key is never shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"
_ID_BYTES, _KEY_BYTES = 4, 32
_LONGEST = 1 << 20
_MOST_SIGNATURES = 100


class MalformedNote(ValueError):
    """It is no signed note, or no key for one."""


class WrongSignature(ValueError):
    """A key that was expected signed something else, or did not sign at all."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """What verifies notes: a name, and an Ed25519 public key (32 bytes)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Refuse what would not be read back. MalformedNote."""
        is_name = self.name and "+" not in self.name and len(self.name.split()) == 1
        if not is_name or self.name.strip() != self.name or not _is_clean(self.name):
            raise MalformedNote("the key's name")
        if len(self.public) != _KEY_BYTES:
            raise MalformedNote("the key's length")

    @property
    def id(self) -> bytes:
        """The four bytes that stand before a signature of this key."""
        said = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(said).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def read(cls, text: str) -> NoteKey:
        """Read what `str` gave. MalformedNote."""
        name, _, rest = text.strip().partition("+")
        said, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedNote("the key") from error
        if raw[:1] != _ED25519:
            raise MalformedNote("the key's kind")
        key = cls(name, raw[1:])
        if key.id.hex() != said:
            raise MalformedNote("the key's id")
        return key

    def pem(self) -> str:
        """Return it as other tools read it (SubjectPublicKeyInfo in PEM)."""
        public = Ed25519PublicKey.from_public_bytes(self.public)
        return public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def verifies(self, signature: bytes, text: str) -> bool:
        """Say whether the signature is this key's, over this text."""
        public = Ed25519PublicKey.from_public_bytes(self.public)
        try:
            public.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class NoteSigner:
    """Signs notes with one key, which is made of 32 secret bytes."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = NoteKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note of a text that ends with a newline. MalformedNote."""
        if not text.endswith("\n") or not _is_clean(text.replace("\n", "")):
            raise MalformedNote("the text")
        signed = base64.b64encode(self.key.id + self._private.sign(text.encode()))
        return f"{text}\n— {self.key.name} {signed.decode()}\n"

    def __repr__(self) -> str:
        return f"NoteSigner({self.key})"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note as it was read; nothing in it is true before a key has verified it."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """Name, key id, signature."""

    @classmethod
    def read(cls, note: str) -> SignedNote:
        """Take a note apart. MalformedNote."""
        text, blank, lines = note.rpartition("\n\n")
        if not blank or len(note) > _LONGEST or not lines.endswith("\n"):
            raise MalformedNote("the blank line")
        if not _is_clean(note.replace("\n", "")):
            raise MalformedNote("a control character")
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > _MOST_SIGNATURES:
            raise MalformedNote("too many signatures")
        return cls(text + "\n", signatures)

    def verified_by(self, keys: Iterable[NoteKey]) -> NoteKey:
        """Return the key that signed it. WrongSignature.

        A signature that names one of the keys and is not its own spoils the note.
        """
        signer: NoteKey | None = None
        for key in keys:
            for name, ours, signature in self.signatures:
                if (name, ours) != (key.name, key.id):
                    continue
                if not key.verifies(signature, self.text):
                    raise WrongSignature(str(key))
                signer = signer or key
        if signer is None:
            raise WrongSignature("no known key")
        return signer


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("a signature") from error
    if dash != "—" or not name or len(raw) <= _ID_BYTES:
        raise MalformedNote("a signature")
    return name, raw[:_ID_BYTES], raw[_ID_BYTES:]


def _is_clean(text: str) -> bool:
    return all(character >= " " for character in text)
