"""A station's key as a file of its own, 0600: the key (PEM, PKCS #8), or which key of
its TPM it is.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from kiosk.authority.stations.keys import Ed25519Key, StationKey
from kiosk.authority.stations.tpm import Tpm, TpmError
from kiosk.authority.stations.tpm_key import TpmKey
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from kiosk.core.secret_file import read_secret

_PEM = b"-----BEGIN"


class KeyFileUnusable(KioskError):
    """What the file holds is no key of a station: `file`."""

    code = "station.key_unusable"


class KeyFileNotMade(KioskError):
    """The key cannot be written there: `file`, `reason`."""

    code = "station.key_not_made"


class KeyFileTaken(KioskError):
    """There is a key already, and it is in no TPM: `file`."""

    code = "station.key_taken"


def read(file: Path) -> StationKey:
    """Return the key; no TPM is asked. KeyFileUnusable; SecretFileError: others can
    read it.
    """
    with read_secret(file) as text:
        found = bytes(text.reveal())
        try:
            return _ed25519(found) if found.startswith(_PEM) else TpmKey.of_text(found)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileUnusable(file=str(file)) from None


def read_or_make(file: Path, tpm: Tpm | None = None) -> StationKey:
    """Return the key that is there, else a new one. As `read` and `make`.

    KeyFileTaken: it was to be in a TPM, and is not.
    """
    if not file.exists():
        return make(file, tpm)
    key = read(file)
    if tpm is not None and not isinstance(key, TpmKey):
        raise KeyFileTaken(file=str(file))
    return key


def make(file: Path, tpm: Tpm | None = None) -> StationKey:
    """Make a key where none is, in `tpm` if one is given. KeyFileNotMade, TpmErrors."""
    if tpm is not None:
        return _made_in(tpm, file)
    private = ed25519.Ed25519PrivateKey.generate()
    _write(
        file,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return Ed25519Key(private)


def _ed25519(text: bytes) -> Ed25519Key:
    found = serialization.load_pem_private_key(text, None)
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        raise TypeError
    return Ed25519Key(found)


def _made_in(tpm: Tpm, file: Path) -> TpmKey:
    key = TpmKey.made(tpm)
    try:
        _write(file, key.text())
    except KeyFileNotMade:
        with suppress(TpmError):  # it would be a key that nobody knows of
            key.forget()
        raise
    return key


def _write(file: Path, text: bytes) -> None:
    """KeyFileNotMade."""
    try:
        private_files.create(file, text)
    except OSError as error:
        raise KeyFileNotMade(file=str(file), reason=reason_of(error)) from error
