"""A station's key as a file of its own: PEM (PKCS #8), 0600."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from kiosk.authority.stations.keys import Ed25519Key
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from kiosk.core.secret_file import read_secret


class KeyFileUnusable(KioskError):
    """What the file holds is no Ed25519 key: `file`."""

    code = "station.key_unusable"


class KeyFileNotMade(KioskError):
    """The key cannot be written there: `file`, `reason`."""

    code = "station.key_not_made"


def read(file: Path) -> Ed25519Key:
    """Return the key. KeyFileUnusable; SecretFileError: others can read it."""
    with read_secret(file) as text:
        try:
            found = serialization.load_pem_private_key(bytes(text.reveal()), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileUnusable(file=str(file)) from None
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        raise KeyFileUnusable(file=str(file))
    return Ed25519Key(found)


def make(file: Path) -> Ed25519Key:
    """Make a key where none is. KeyFileNotMade."""
    private = ed25519.Ed25519PrivateKey.generate()
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        private_files.create(file, text)
    except OSError as error:
        raise KeyFileNotMade(file=str(file), reason=reason_of(error)) from error
    return Ed25519Key(private)
