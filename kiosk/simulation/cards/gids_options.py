"""Ways in which GIDS cards differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GidsOptions:
    """The default is a card with the usual tries and no PUK."""

    pin_tries: int = 3
    puk_tries: int = 0
    """0: the card has no PUK."""
    admin_tries: int = 0
    """Wrong answers that block the administrator key for good; 0: it is not counted
    (as the open-source applet does it), IDPrime cards have 5."""
    chunk: int = 256
    """Bytes of an answer before 61xx."""
