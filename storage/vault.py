"""The vault: escrowed PUKs, transport PINs and keys, encrypted at rest.

An envelope is `v1.A256GCM.<key id>.<nonce>.<ciphertext>` (base64url), AES-256-GCM
with a random 96-bit nonce. The associated data is registry, table, record, field:
an envelope opens only where it was sealed. Keys come from a file of mode 0600, one
line per key, `<id> <base64 of 32 bytes>`; the last line is the current key. A last
line without its end that is no key was being written when the power went: no envelope
was sealed with it, and it counts for nothing.

A running program looks at the file again before it uses a key, so that it seals with a
new one, and opens with it, as soon as the file has it.
"""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import RegistryError
from storage.fileops import FileOps
from storage.signed_note import NoteKey, NoteSigner

_KEY_BYTES = 32
_NONCE_BYTES = 12

log = logging.getLogger(__name__)


def name_of(registry_id: str) -> str:
    """Return what the keys of one registry are called in its notes."""
    return f"pin-kiosk/{registry_id}"


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

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key's id, the oldest first."""
        return tuple(self._keys)

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
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            is_unfinished = number == len(lines)
            read = _key_of(line)
            if read is not None:
                keys[read[0]] = read[1]
            elif not is_unfinished:
                raise KeyFileMalformed(path=str(path), line=number)
        if not keys:
            raise KeyFileMalformed(path=str(path), line=1)
        return cls(keys)


def _key_of(line: bytes) -> tuple[str, bytes] | None:
    """Return a line's id and key; None: it is none."""
    name, _, encoded = line.removesuffix(b"\r").partition(b" ")
    try:
        key = base64.b64decode(encoded, validate=True)
        named = name.decode("ascii")
    except ValueError:
        return None
    return (named, key) if named and len(key) == _KEY_BYTES else None


def add_key(path: Path) -> str:
    """Append a new current key to the file, made 0600 if it is new; return its id.

    A last line without its end is ended if it is a key, and overwritten if it is not.
    OSError.
    """
    name = secrets.token_hex(4)
    line = f"{name} {base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        whole, newline, last = stream.read().rpartition(b"\n")
        ended = last + b"\n" if _key_of(last) is not None else b""
        stream.seek(len(whole + newline))
        stream.write(ended + line.encode())
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())
    FileOps().fsync_dir(path.parent)  # else what is sealed now may never open again
    return name


class KeyFile:
    """The ring of a key file, read again when the file is another one. Any thread."""

    def __init__(self, path: Path) -> None:
        """Read it. KeyFileMissing, KeyFileTooOpen, KeyFileMalformed."""
        self._path = path
        self._seen = _state(path)
        self._ring = KeyRing.from_file(path)

    def ring(self) -> KeyRing:
        """Return the ring as the file has it now; if it cannot be read, as it had it.

        A station goes on with the keys that it knows; that the file is not as it must
        be is said at the next start, and by `doctor`.
        """
        state = _state(self._path)
        if state != self._seen:
            try:
                self._ring = KeyRing.from_file(self._path)
            except (VaultError, OSError) as error:
                log.warning("vault.key_file_unreadable type=%s", type(error).__name__)
                return self._ring
            self._seen = state
        return self._ring


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None: it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class Vault:
    """Seals and opens fields of one registry. Any thread."""

    def __init__(
        self,
        keys: KeyRing | KeyFile,
        registry_id: str,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`random_bytes` gives the nonces: never twice the same."""
        self._random_bytes = random_bytes
        self._keys = keys
        self._registry_id = registry_id

    @property
    def _ring(self) -> KeyRing:
        return self._keys.ring() if isinstance(self._keys, KeyFile) else self._keys

    def seal(
        self, plain: bytes | bytearray, *, table: str, record: str, field: str
    ) -> str:
        """Return an envelope that opens only at this table, record and field."""
        nonce = self._random_bytes(_NONCE_BYTES)
        ring = self._ring
        key = ring.current
        sealed = AESGCM(ring.key(key)).encrypt(
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
        ring = self._ring
        oldest = ring.key(ring.ids[0])
        info = f"{self._registry_id}|{purpose}".encode()
        return HKDF(hashes.SHA256(), 32, None, info).derive(oldest)

    def signer(self) -> NoteSigner:
        """Return what signs checkpoints: with a key of the current key's own.

        A rotation changes it, so a key file that leaked signs nothing afterwards.
        """
        ring = self._ring
        return self._signer_of(ring.key(ring.current))

    def note_keys(self) -> tuple[NoteKey, ...]:
        """Return what verifies the checkpoints of every key here, the oldest first."""
        ring = self._ring
        return tuple(self._signer_of(ring.key(each)).key for each in ring.ids)

    def _signer_of(self, key: bytes) -> NoteSigner:
        info = f"{self._registry_id}|checkpoints".encode()
        seed = HKDF(hashes.SHA256(), 32, None, info).derive(key)
        return NoteSigner(name_of(self._registry_id), seed)

    def _place(self, table: str, record: str, field: str) -> bytes:
        return f"{self._registry_id}|{table}|{record}|{field}|v1".encode()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.urlsafe_b64decode(value)
