"""Tokens by which stations enroll: how long they work, and what stands for them."""

from __future__ import annotations

import hmac

from msgspec.structs import replace

from storage.registry import Tx
from storage.vault import Vault

TOKEN_SECONDS = 3600.0
"""How long a token works."""
TOKEN_BYTES = 16
_PURPOSE = "enrollment tokens"
_PAGE = 200


def token_id(vault: Vault, token: bytes | bytearray) -> str:
    """Return what stands for a token on record: a keyed digest, hex."""
    plain = bytes(token).replace(b"-", b"").replace(b" ", b"").lower()
    return hmac.new(vault.derive(_PURPOSE), plain, "sha256").hexdigest()


def void_open(tx: Tx, station: str) -> int:
    """Let no token work any more that a station has; return how many there were.

    Which of them was given before and which after something happened is not asked of
    the clocks: they are several hosts' and may be set.
    """
    voided, after = 0, ""
    while page := tx.open_tokens(limit=_PAGE, after=after):
        for each in page:
            known = tx.token(each.id) if each.station == station else each
            if known.station == station and known.is_open:
                tx.save_token(replace(known, void=True))
                voided += 1
        after = page[-1].id
    return voided
