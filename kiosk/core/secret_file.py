"""A secret read from its file, which nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kiosk.core.errors import KioskError, reason_of
from kiosk.core.secret import Secret

_LARGEST = 64 * 1024
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


class SecretFileError(KioskError):
    """Root of what reading a secret may raise. `file` is its path."""

    code = "config.secret_unreadable"


class SecretUnreadable(SecretFileError):
    """The file is not there or may not be read: `file`, `reason`."""

    code = "config.secret_unreadable"


class SecretExposed(SecretFileError):
    """Others may read the file, or it is neither ours nor root's: `file`."""

    code = "config.secret_exposed"


class SecretEmpty(SecretFileError):
    """The file holds nothing: `file`."""

    code = "config.secret_empty"


class SecretMalformed(SecretFileError):
    """The file does not hold that many hexadecimal digits: `file`, `digits`."""

    code = "config.secret_malformed"


def read_secret(path: Path) -> Secret:
    """Return what the file holds, without one line end; its caller wipes it.

    SecretUnreadable, SecretExposed, SecretEmpty.
    """
    buffer = bytearray(_LARGEST)
    try:
        with path.open("rb", buffering=0) as stream:
            if not _is_private(os.fstat(stream.fileno()), path):
                raise SecretExposed(file=str(path))
            count = stream.readinto(buffer) or 0
        with memoryview(buffer) as view:
            end = _without_line_end(view, count)
            if not end:
                raise SecretEmpty(file=str(path))
            return Secret(view[:end])
    except OSError as error:
        reason = reason_of(error)
        raise SecretUnreadable(file=str(path), reason=reason) from error
    finally:
        buffer[:] = bytes(len(buffer))


def read_hex(path: Path, length: int) -> Secret:
    """Return `length` bytes that the file has as hexadecimal digits, blanks aside.

    SecretUnreadable, SecretExposed, SecretEmpty, SecretMalformed.
    """
    with read_secret(path) as text:
        digits = bytearray(byte for byte in text.reveal() if byte not in b" \t\n:-")
        try:
            plain = bytearray.fromhex(digits.decode("ascii"))
        except ValueError:
            plain = bytearray()
        finally:
            digits[:] = bytes(len(digits))
    if len(plain) != length:
        plain[:] = bytes(len(plain))
        raise SecretMalformed(file=str(path), digits=2 * length)
    try:
        return Secret(plain)
    finally:
        plain[:] = bytes(len(plain))


def credential(name: str) -> Path:
    """Return where systemd put a credential of this service (`LoadCredential=`).

    SecretUnreadable if it gave us none at all.
    """
    folder = os.environ.get(_CREDENTIALS, "")
    if not folder or name in ("", ".", "..") or os.sep in name:
        raise SecretUnreadable(file=name, reason=f"${_CREDENTIALS} is not set")
    return Path(folder) / name


def _is_private(status: os.stat_result, path: Path) -> bool:
    """Say whether nobody else may read a file.

    systemd lets the service read its credentials by an access list, whose mask shows
    in the place of the group's bits.
    """
    owned = status.st_uid in (os.geteuid(), 0)
    folder = os.environ.get(_CREDENTIALS, "")
    others = 0o037 if folder and path.parent == Path(folder) else 0o077
    return owned and not stat.S_IMODE(status.st_mode) & others


def _without_line_end(view: memoryview, count: int) -> int:
    """Return how many bytes remain without one CR LF or LF at the end."""
    if count and view[count - 1] == 0x0A:
        count -= 1
        if count and view[count - 1] == 0x0D:
            count -= 1
    return count
