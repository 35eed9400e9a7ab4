"""Parts of a `CardSession` for cards and readers that lack something: it is refused.

Nothing is sent to the card. NotSupported.
"""

from __future__ import annotations

from kiosk.cards.errors import NotSupported
from kiosk.core.secret import Secret


class NoPinpad:
    """The reader has no keys of its own, or the card cannot use them."""

    def verify_at_pad(self) -> None:
        raise NotSupported(what="PIN pad")

    def change_pin_at_pad(self) -> None:
        raise NotSupported(what="PIN pad")

    def unblock_at_pad(self, puk: Secret | None) -> None:
        raise NotSupported(what="PIN pad")


class NoAdminKey:
    """The card has no administrator key."""

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
