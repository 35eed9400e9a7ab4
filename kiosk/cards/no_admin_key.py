"""The part of a `CardSession` about administrator keys, for cards that have none."""

from __future__ import annotations

from kiosk.cards.ports import NotSupported
from kiosk.core.secret import Secret


class NoAdminKey:
    """Refuses whatever needs an administrator key; sends nothing. NotSupported."""

    def challenge(self) -> bytes:
        raise NotSupported(what="administrator key")

    def answer(self, response: bytes, new: Secret) -> None:
        raise NotSupported(what="administrator key")

    def begin_mutual(self, challenge: bytes) -> bytes:
        raise NotSupported(what="administrator key")

    def end_mutual(self, cryptogram: bytes) -> bytes:
        raise NotSupported(what="administrator key")

    def reset_pin(self, new: Secret) -> None:
        raise NotSupported(what="administrator key")
