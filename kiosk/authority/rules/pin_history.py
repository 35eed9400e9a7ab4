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
from storage.known_types import known
from storage.records import Credential, Template

COST = 2**12
"""scrypt's n; the envelope is what protects, this only slows whoever has its key."""
_PLACE = {"table": "credentials", "field": "pin_history"}


class HashedPin(msgspec.Struct, array_like=True):
    """One PIN: salt and slow hash."""

    salt: bytes
    digest: bytes

    def __repr__(self) -> str:
        return "HashedPin()"  # of a short PIN a hash tells which it is


def is_known(
    parts: RequiredPorts, credential: Credential, template: Template, pin: Secret
) -> bool:
    """Say whether `pin` is one of the last that the template does not let return."""
    return any(
        hmac.compare_digest(each.digest, _digest(pin, each.salt))
        for each in _read(parts, credential)[: _wanted(template)]
    )


def hashed(parts: RequiredPorts, template: Template, pin: Secret) -> HashedPin | None:
    """Return what is kept of a PIN; None where nothing is. Slow: not in a commit."""
    if not _wanted(template):
        return None
    salt = parts.entropy.bytes(16)
    return HashedPin(salt, _digest(pin, salt))


def with_pin(
    parts: RequiredPorts,
    credential: Credential,
    template: Template,
    pin: HashedPin | None,
) -> str:
    """Return the credential's history with `pin` in front; empty where none is kept."""
    wanted = _wanted(template)
    if not wanted:
        return ""
    entries = [*([] if pin is None else [pin]), *_read(parts, credential)]
    plain = msgspec.json.encode(entries[:wanted])
    return parts.vault.seal(plain, record=credential.id, **_PLACE)


def _wanted(template: Template) -> int:
    return template.pin_policy.history if template.apply_pin_policy else 0


def _read(parts: RequiredPorts, credential: Credential) -> list[HashedPin]:
    if not credential.pin_history_sealed:
        return []
    plain = parts.vault.open(
        credential.pin_history_sealed, record=credential.id, **_PLACE
    )
    return msgspec.json.decode(plain, type=known(list[HashedPin]))


def _digest(pin: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.reveal(), salt=salt, n=COST, r=8, p=1, dklen=32)
