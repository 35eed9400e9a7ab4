"""One line of the plain kiosk while it is typed, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kiosk.faces.keyboard.names import PASTE, Key
from kiosk.faces.typed import Repertoire, Typed, edits_elsewhere
from kiosk.pin.alphabet import Alphabet

MARK: Final = "*"
"""Stands for a character that is not to be read."""
_MORE_SHOWN: Final = 8
"""Of the keys beyond what a line takes, so many are shown."""
_REFUSED: Final = frozenset({"tab", "shift+tab", PASTE.name})
"""What follows them was meant for another field, or nobody knows what it was."""
Readable = Callable[[str], bool]
"""Says of what has been typed so far whether anybody may read it."""


class LineEntry(Typed):
    """Takes key after key. Wiped by leaving its `with`."""

    def __init__(
        self,
        alphabet: Alphabet,
        maximum: int,
        *,
        readable: Readable | None = None,
        ignores: str = "",
    ) -> None:
        """`readable` None: not even how much was typed is shown."""
        super().__init__(Repertoire(alphabet), maximum, ignores=ignores)
        self._readable = readable
        self._drawn = ""

    def take(self, key: Key) -> bool:
        """Take a key; True: it ended the line."""
        if key.name == "enter":
            return True
        if key.name == "backspace":
            self.erase()
        elif key.name == "ctrl+u":
            self.wipe()
        elif key.character is not None:
            self.put(key.character)
        elif edits_elsewhere(key.name) or key.name in _REFUSED:
            self.refuse()
        return False

    def begin(self) -> None:
        """Forget what was typed; the terminal is on a new line."""
        self.wipe()
        self._drawn = ""

    def echo(self) -> str:
        """Return what brings the terminal from what it shows to what it may show."""
        drawn, self._drawn = self._drawn, self._shown()
        same = 0
        while drawn[same : same + 1] == self._drawn[same : same + 1] != "":
            same += 1
        return "\b \b" * (len(drawn) - same) + self._drawn[same:]

    def _shown(self) -> str:
        if self._readable is None:
            return ""
        most = self.maximum + _MORE_SHOWN
        text = self.text().ljust(min(self.keys, most), "?")[:most]
        return text if self._readable(text) else MARK * len(text)

    def __enter__(self) -> LineEntry:
        return self

    def __exit__(self, *_: object) -> None:
        self.begin()


def anything(text: str) -> bool:  # noqa: ARG001 - one of `Readable`
    """Let everything be read."""
    return True


def choice_up_to(last: int, *others: str) -> Readable:
    """Let be read what may become a number from 1 to `last`, or one of the others.

    Where somebody types a PIN, it becomes marks as soon as it can be no choice.
    """
    choices = (*map(str, range(1, last + 1)), *others)
    return lambda text: any(choice.startswith(text) for choice in choices)
