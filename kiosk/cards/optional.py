"""What a card may tell and need not: read if it can be, else it counts as absent.

Cards refuse an object they lack with any status word there is, or answer bytes that
mean nothing. Only what an operation cannot do without may refuse the operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kiosk.cards.errors import UNUSABLE, MalformedAnswer, ObjectMissing
from kiosk.cards.values import PassedOver

_Read = TypeVar("_Read")


class OptionalReads:
    """Reads what is optional on one card, and remembers what could not be used.

    Card worker's thread.
    """

    def __init__(self) -> None:
        self._passed_over: list[PassedOver] = []

    def read(self, name: str, read: Callable[[], _Read]) -> _Read | None:
        """Return what `read` returns; None for whatever the card cannot tell.

        A card that says plainly that it has no such thing is not passed over. Errors of
        the line (a card that has left) come out.
        """
        try:
            return read()
        except ObjectMissing:
            return None
        except UNUSABLE as error:
            is_garbled = isinstance(error, MalformedAnswer)
            self._passed_over.append(PassedOver(name, is_garbled=is_garbled))
            return None

    @property
    def passed_over(self) -> tuple[PassedOver, ...]:
        """What was answered and could not be used, in order."""
        return tuple(self._passed_over)
