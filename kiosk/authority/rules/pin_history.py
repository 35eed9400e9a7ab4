"""Earlier PINs that may not return: slow hashes, encrypted by the vault.

A hash of a short PIN alone would be an oracle for it, so hashes exist only inside an
envelope that is bound to the credential. Only values that became the password are
remembered: of others the authority never had the value.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.secret import Secret
from storage.records import Credential, Template

COST = 2**12
"""scrypt's n; the envelope is what protects, this only slows whoever has its key."""
_PLACE = {"table": "credentials", "field": "pin_history"}


class _Earlier(msgspec.Struct, array_like=True):
    """One PIN: salt and slow hash."""

    salt: bytes
    digest: bytes


def is_known(
    parts: RequiredPorts, credential: Credential, template: Template, pin: Secret
) -> bool:
    """Say whether `pin` is one of the last that the template does not let return."""
    return any(
        hmac.compare_digest(each.digest, _digest(pin, each.salt))
        for each in _read(parts, credential)[: _wanted(template)]
    )


def with_pin(
    parts: RequiredPorts, credential: Credential, template: Template, pin: Secret
) -> str:
    """Return the credential's history with `pin` in front; empty where none is kept."""
    wanted = _wanted(template)
    if not wanted:
        return ""
    salt = parts.entropy.bytes(16)
    entries = [_Earlier(salt, _digest(pin, salt)), *_read(parts, credential)]
    plain = msgspec.json.encode(entries[:wanted])
    return parts.vault.seal(plain, record=credential.id, **_PLACE)


def _wanted(template: Template) -> int:
    return template.pin_policy.history if template.apply_pin_policy else 0


def _read(parts: RequiredPorts, credential: Credential) -> list[_Earlier]:
    if not credential.pin_history_sealed:
        return []
    plain = parts.vault.open(
        credential.pin_history_sealed, record=credential.id, **_PLACE
    )
    return msgspec.json.decode(plain, type=list[_Earlier])


def _digest(pin: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.reveal(), salt=salt, n=COST, r=8, p=1, dklen=32)
