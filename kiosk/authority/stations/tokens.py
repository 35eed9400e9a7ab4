"""Tokens by which stations enroll: how long they work, and what stands for them."""

from __future__ import annotations

import hmac

from storage.vault import Vault

TOKEN_SECONDS = 3600.0
"""How long a token works."""
TOKEN_BYTES = 16
_PURPOSE = "enrollment tokens"


def token_id(vault: Vault, token: bytes | bytearray) -> str:
    """Return what stands for a token on record: a keyed digest, hex."""
    plain = bytes(token).replace(b"-", b"").replace(b" ", b"").lower()
    return hmac.new(vault.derive(_PURPOSE), plain, "sha256").hexdigest()
