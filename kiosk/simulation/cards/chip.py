"""What a reader needs of a simulated card, and what a rehearsal sees of it."""

from __future__ import annotations

from typing import Protocol


class Chip(Protocol):
    """Raw APDUs in, raw answers out. One thread at a time."""

    @property
    def atr(self) -> bytes:
        """The answer to reset."""

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Carry out one APDU."""


class SimulatedCard(Chip, Protocol):
    """A card of any family, with what a test does behind everybody's back."""

    @property
    def pin_tries_left(self) -> int:
        """The PIN counter."""

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
