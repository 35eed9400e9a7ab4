"""Which numbers have come before, for millions of them: eight bytes each, and room."""

from __future__ import annotations

from array import array

_BITS = (1 << 63) - 1


class SeenOnce:
    """Numbers of 63 random bits, as hashes are: two that are equal count as one."""

    def __init__(self) -> None:
        self._count = 0
        self._slots = array("q", bytes(8 << 10))
        """Each number in the first place that was free from the one its bits name; 0:
        free. At most half are taken."""

    def add(self, number: int) -> bool:
        """Take a number; say whether it is new."""
        if 2 * self._count >= len(self._slots):
            self._grow()
        slots = self._slots
        number = (number & _BITS) or 1
        at = self._place(slots, number)
        if slots[at]:
            return False
        slots[at] = number
        self._count += 1
        return True

    @staticmethod
    def _place(slots: array[int], number: int) -> int:
        """Return where a number is, or is to be."""
        mask = len(slots) - 1
        at = number & mask
        while slots[at] not in (0, number):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("q", (0,)) * (2 * len(before))
        for number in before:
            if number:
                self._slots[self._place(self._slots, number)] = number
