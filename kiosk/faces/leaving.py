"""Whether somebody who goes back means to: what is lost is asked once. UI thread."""

from __future__ import annotations

from kiosk.faces.turn import HELD


class Leaving:
    """One for each page."""

    def __init__(self) -> None:
        self._is_asked = False

    def stays(self) -> None:
        """Somebody has done something else: it is asked again."""
        self._is_asked = False

    def is_meant(self, pause: float) -> bool:
        """Say whether the key that goes back, pressed now, is the answer to what was
        asked; from now on it was asked. Leaning on the key is no answer, nor is a key
        of the same breath that a busy machine hears late.

        `pause`: for how long it was silent before this key (seconds, `Turn.pause`).
        """
        was_asked, self._is_asked = self._is_asked, True
        return was_asked and pause > HELD
