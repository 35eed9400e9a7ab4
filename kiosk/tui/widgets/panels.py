"""Small pieces that only show: lines, the helpdesk, a countdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from kiosk.faces.wording import say, whom_to_call

if TYPE_CHECKING:
    from kiosk.visit.station import Helpdesk


def line(text: str, *, classes: str = "", id: str | None = None) -> Static:
    """Return a piece of text that is never read as markup."""
    return Static(text, classes=classes, id=id, markup=False)


def number_line(key: str, number: str, *, big: bool) -> Iterator[Widget]:
    """Return the sentence `key` about {event}, a number that is read out.

    `big`: the number is drawn once more, three lines high.
    """
    yield line(say(key, event=number), classes="gap muted")
    if big:
        from textual.widgets import Digits  # few stations have it

        yield Digits(number)


class HelpLine(Static):
    """Whom to call, wherever a person cannot go on alone."""

    DEFAULT_CSS = "HelpLine { color: $text-muted; margin: 1 0 0 0; }"

    def __init__(self, desk: Helpdesk, *, at: str = "", classes: str = "") -> None:
        """`at`: which page of an error it is for."""
        super().__init__(whom_to_call(desk, at), markup=False, classes=classes)


class Bullet(Horizontal):
    """A sentence behind its mark; further lines start under the first word."""

    DEFAULT_CSS = """
    Bullet { height: auto; }
    Bullet .mark { width: auto; min-width: 3; padding: 0 1 0 0; }
    Bullet .text { width: 1fr; }
    """

    def __init__(self, mark: str, text: str, *, classes: str = "") -> None:
        self._mark = line(mark, classes="mark")
        self._text = line(text, classes="text")
        super().__init__(self._mark, self._text, classes=classes)

    def say(self, mark: str, text: str) -> None:
        """Say something else."""
        self._mark.update(Content(mark))
        self._text.update(Content(text))


class Countdown(Static):
    """Seconds that are left, in words."""

    def __init__(self, key: str, seconds: int, *, classes: str = "") -> None:
        """`key`: a sentence of the catalogue that names {seconds}."""
        text = say(key, seconds=seconds)
        super().__init__(text, markup=False, classes=f"muted {classes}")
        self._key = key

    def show(self, seconds: int) -> None:
        """Show how many are left now."""
        self.update(Content(say(self._key, seconds=seconds)))
