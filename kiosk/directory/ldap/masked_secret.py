"""A secret that has to be kept for long: in two halves, of which each is chance."""

from __future__ import annotations

import secrets

from kiosk.core.secret import Secret


class MaskedSecret:
    """Who reads a part of this process's memory reads nothing. One thread at a time."""

    def __init__(self, secret: Secret) -> None:
        """Keep a copy of it."""
        self._pad = Secret(secrets.token_bytes(len(secret)))
        self._masked = _crossed(secret, self._pad)

    def open(self) -> Secret:
        """Return it; the caller wipes it."""
        return _crossed(self._masked, self._pad)

    def holds(self, secret: Secret) -> bool:
        """Say whether this is it."""
        with self.open() as own:
            return own.matches(secret)

    def wipe(self) -> None:
        """Forget it. Safe to call twice."""
        self._masked.wipe()
        self._pad.wipe()


def _crossed(one: Secret, other: Secret) -> Secret:
    crossed = one.copy()
    buffer = crossed.reveal()
    for index, byte in enumerate(other.reveal()):
        buffer[index] ^= byte
    return crossed
