"""The vault: escrowed PUKs, transport PINs and keys, encrypted at rest.

An envelope is `v1.A256GCM.<key id>.<nonce>.<ciphertext>` (base64url), AES-256-GCM
with a random 96-bit nonce. The associated data is registry, table, record, field:
an envelope opens only where it was sealed. Keys come from a file of mode 0600, one
line per key, `<id> <base64 of 32 bytes>`; the last line is the current key.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.registry import RegistryError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class VaultError(RegistryError):
    """Root of what the vault may raise."""

    code: ClassVar[str] = "vault.error"


class KeyFileMissing(VaultError):
    """There is no key file: `path`."""

    code = "vault.key_file_missing"


class KeyFileTooOpen(VaultError):
    """Others than its owner may read the key file, or it is not ours: `path`."""

    code = "vault.key_file_too_open"


class KeyFileMalformed(VaultError):
    """A line of the key file is no key: `path`, `line`."""

    code = "vault.key_file_malformed"


class UnknownKey(VaultError):
    """An envelope was sealed with a key that the ring does not have: `key`."""

    code = "vault.unknown_key"


class Tampered(VaultError):
    """An envelope is damaged or stands in the wrong place."""

    code = "vault.tampered"


class KeyRing:
    """Named 32-byte keys, the last one current. Never shown."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = dict(keys)
        self.current = list(keys)[-1]

    def key(self, id: str) -> bytes:
        """Return a key. UnknownKey."""
        try:
            return self._keys[id]
        except KeyError:
            raise UnknownKey(key=id) from None

    def __repr__(self) -> str:
        return f"KeyRing({len(self._keys)} keys, current {self.current})"

    @classmethod
    def from_file(cls, path: Path) -> KeyRing:
        """Read a key file. KeyFileMissing, KeyFileTooOpen, KeyFileMalformed."""
        try:
            status = path.stat()
        except FileNotFoundError:
            raise KeyFileMissing(path=str(path)) from None
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
            raise KeyFileTooOpen(path=str(path))
        keys: dict[str, bytes] = {}
        for number, line in enumerate(path.read_text("ascii").splitlines(), 1):
            name, _, encoded = line.partition(" ")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                key = b""
            if not name or len(key) != _KEY_BYTES:
                raise KeyFileMalformed(path=str(path), line=number)
            keys[name] = key
        if not keys:
            raise KeyFileMalformed(path=str(path), line=1)
        return cls(keys)


def add_key(path: Path) -> str:
    """Append a new current key to the file, made 0600 if it is new; return its id."""
    name = secrets.token_hex(4)
    line = f"{name} {base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    return name


class Vault:
    """Seals and opens fields of one registry. Any thread."""

    def __init__(self, ring: KeyRing, registry_id: str) -> None:
        self._ring = ring
        self._registry_id = registry_id

    def seal(
        self, plain: bytes | bytearray, *, table: str, record: str, field: str
    ) -> str:
        """Return an envelope that opens only at this table, record and field."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = self._ring.current
        sealed = AESGCM(self._ring.key(key)).encrypt(
            nonce, plain, self._place(table, record, field)
        )
        return f"v1.A256GCM.{key}.{_text(nonce)}.{_text(sealed)}"

    def open(self, envelope: str, *, table: str, record: str, field: str) -> bytearray:
        """Return what was sealed; the caller wipes it. Tampered, UnknownKey."""
        try:
            version, algorithm, key, nonce, sealed = envelope.split(".")
            if (version, algorithm) != ("v1", "A256GCM"):
                raise Tampered
            cipher = AESGCM(self._ring.key(key))
            return bytearray(
                cipher.decrypt(
                    _bytes(nonce), _bytes(sealed), self._place(table, record, field)
                )
            )
        except (ValueError, InvalidTag) as error:
            raise Tampered from error

    def needs_reseal(self, envelope: str) -> bool:
        """Say whether an envelope was sealed with a key that is no longer current."""
        return bool(envelope) and envelope.split(".")[2:3] != [self._ring.current]

    def derive(self, purpose: str) -> bytes:
        """Return a 32-byte subkey for keyed hashes (HKDF-SHA256).

        It comes from the oldest key: hashes made with it outlive a rotation.
        """
        oldest = next(iter(self._ring._keys.values()))  # noqa: SLF001 - its own ring
        info = f"{self._registry_id}|{purpose}".encode()
        return HKDF(hashes.SHA256(), 32, None, info).derive(oldest)

    def _place(self, table: str, record: str, field: str) -> bytes:
        return f"{self._registry_id}|{table}|{record}|{field}|v1".encode()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.urlsafe_b64decode(value)
