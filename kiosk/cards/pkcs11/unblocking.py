"""How a middleware unblocks: a way that is known, or none.

PKCS#11 has no portable way. What is no way here burns a try of the PIN somewhere else,
so nothing is tried out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

_OPENSC_FILES = ("/etc/opensc/opensc.conf", "/etc/opensc.conf")
_COMMENT = re.compile(rb"#[^\n]*")
_STYLE = re.compile(
    rb"\bpkcs11\s*\{[^{}]*"
    rb"\buser_pin_unblock_style\s+=\s+set_pin_in_unlogged_session\s*;"
)
"""As OpenSC reads it: in the block `pkcs11`, with blanks around the sign."""


class Unblocking(StrEnum):
    """What makes a module set a user PIN with the PUK."""

    AUTO = "auto"
    """What is found out about the module; mostly that it cannot."""
    NONE = "none"
    SET_PIN = "set_pin"
    """C_SetPIN(PUK, PIN) without a login: OpenSC, where its configuration says so."""
    INIT_PIN = "init_pin"
    """C_InitPIN by the security officer, whose PIN is the PUK."""
    PREFIXES = "prefixes"
    """C_SetPIN(puk:PUK, pin:PIN): ykcs11."""


def found_out(told: Unblocking, library: str, manufacturer: str) -> Unblocking:
    """Return the way of a module, by what its C_GetInfo says; NONE if not known.

    OpenSC sends C_SetPIN(PUK, PIN) as a change of the PIN unless its own configuration
    says otherwise, whatever ours says.
    """
    name = f"{manufacturer} {library}".casefold()
    if "opensc" in name:
        wanted = told in (Unblocking.AUTO, Unblocking.SET_PIN)
        return Unblocking.SET_PIN if wanted and opensc_unblocks() else _other(told)
    if told is not Unblocking.AUTO:
        return told
    return Unblocking.PREFIXES if "yubico" in name else Unblocking.NONE


def _other(told: Unblocking) -> Unblocking:
    return told if told is Unblocking.INIT_PIN else Unblocking.NONE


def opensc_unblocks(files: Iterable[str | Path] = ()) -> bool:
    """Say whether OpenSC is configured to unblock in a session without a login."""
    own = os.environ.get("OPENSC_CONF")
    for file in files or ((own,) if own else _OPENSC_FILES):
        try:
            text = _COMMENT.sub(b"", Path(file).read_bytes())
        except OSError:
            continue
        return _STYLE.search(text) is not None
    return False
