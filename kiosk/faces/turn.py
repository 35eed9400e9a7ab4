"""Whose turn a key is: of the page that its person saw, or of none.

People type ahead, lean on a key, and go on typing while a page changes under their
hands. A key is taken only by a page that could be seen when it was pressed:

* a page that cannot take keys yet, or no more, takes none, and what is pressed in the
  same breath (`BREATH`) is not begun in the middle by the next one;
* a key that is held down while pages change is for the page where it was pressed
  (`HELD`, longer than a keyboard waits before it repeats). A keyboard waits so long
  once: what comes twice after a rest (`REPEATS`) is pressed anew. Time in which nobody
  could hear the keyboard (`kiosk.faces.attention`) does not count as silence.

Characters that were not taken are counted: an entry that lacks them is refused, never
used. UI thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.faces.attention import Attention

BREATH = 0.5
"""Seconds without a key after which a person begins anew."""
HELD = 1.0
"""Seconds in which the same key again may be the same key still."""
REPEATS = 0.3
"""Seconds in which it is: no keyboard that has begun to repeat takes longer."""
_ENDS = frozenset({"enter", "tab"})
"""Keys of an entry that type nothing."""


class Turn:
    """One for each running app.

    `now` is a clock that only goes forward (seconds); without `attention` somebody
    listens all the time.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        attention: Attention | None = None,
    ) -> None:
        self._now = now
        self._attention = attention
        self._lost = 0.0
        """For how long nobody had listened when the last key came."""
        self._at = float("-inf")
        self.pause = float("inf")
        """For how long somebody had listened, and no key came, before the key that is
        pressed now (seconds)."""
        self._key = ""
        self._has_rested = False
        """That key came after a rest already, and was not taken."""
        self._is_cut = False
        """What is pressed in the same breath has lost its beginning."""
        self._is_new = False
        """A page was shown since a key was taken."""
        self._early = 0

    def page_shown(self, *, typed: int = 0) -> None:
        """Another page is there, or the same is open again.

        `typed`: keys of an entry that was not finished when its page was taken away.
        """
        self._is_new = True
        if typed:
            self._is_cut = True
            self._early += typed

    def cut(self) -> None:
        """What is pressed in the same breath cannot follow: an entry was refused."""
        self._is_cut = True

    def swallow(self, *, is_typed: bool) -> None:
        """A key was for nobody; a character is missing in what is being typed."""
        if is_typed:
            self._is_cut = True
            self._early += 1

    def answer(self, key: str) -> None:
        """A key was for what covers the page: what is pressed in the same breath may be
        the rest of something that began with it.
        """
        self.has(key, is_typed=False, is_open=False)
        self._is_cut = True

    def has(self, key: str, *, is_typed: bool, is_open: bool) -> bool:
        """Say whether the page may have a key that is pressed now.

        `is_typed`: it is a character. `is_open`: the page takes keys.
        """
        passed, is_same = self._silence(), key == self._key
        rests = passed >= REPEATS
        is_held = is_same and passed < HELD and not (rests and self._has_rested)
        self.pause = passed
        self._at, self._key = self._now(), key
        self._has_rested = is_same and rests
        if not is_open:
            self._is_cut = self._is_cut or is_typed
        elif not (self._is_cut and passed < BREATH) and not (self._is_new and is_held):
            self._is_cut = self._is_new = self._has_rested = False
            return True
        if is_typed or (self._early and key in _ENDS):
            self._early += 1
        return False

    def _silence(self) -> float:
        """Return for how long somebody has listened, and no key came (seconds)."""
        silence = self._now() - self._at
        if self._attention is not None:
            lost = self._attention.lost()
            silence -= lost - self._lost
            self._lost = lost
            self._attention.look()
        return silence

    def take_early(self) -> int:
        """Return how many keys a page lacks that can take them now."""
        early, self._early = self._early, 0
        return early
