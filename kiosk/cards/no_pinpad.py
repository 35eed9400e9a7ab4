"""The part of a `CardSession` about PIN pads, for cards that cannot use one."""

from __future__ import annotations

from kiosk.cards.ports import NotSupported
from kiosk.core.secret import Secret


class NoPinpad:
    """Refuses whatever needs a PIN pad; sends nothing. NotSupported."""

    def verify_at_pad(self) -> None:
        raise NotSupported(what="PIN pad")

    def change_pin_at_pad(self) -> None:
        raise NotSupported(what="PIN pad")

    def unblock_at_pad(self, puk: Secret | None) -> None:
        raise NotSupported(what="PIN pad")
