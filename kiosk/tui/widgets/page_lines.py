"""The words of a page, and its lines as widgets."""

from __future__ import annotations

from textual.widget import Widget
from textual.widgets import Digits

from kiosk.core.errors import Message
from kiosk.core.untrusted_text import visible
from kiosk.desk.tables import PageLine, Style, Words
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import labelled, said
from kiosk.tui.widgets.panels import Bullet, line

_DRAWN = frozenset("0123456789 -")
"""What is drawn three lines high."""


def in_words(words: Words) -> str:
    """Return a sentence, or outside text made visible."""
    if isinstance(words, tuple):
        return "".join(in_words(each) for each in words)
    return said(words) if isinstance(words, Message) else visible(words, 200)


def plain(each: PageLine) -> str:
    """Return a line of a page as text, with what it is in front of it."""
    text = in_words(each.text)
    return text if each.label is None else labelled(in_words(each.label), text)


def page_line(each: PageLine, *, is_big: bool = False) -> Widget:
    """Return a line of a page; what stands out does so by a mark, too.

    `is_big`: what is read out is three lines high, where it is made of digits.
    """
    text = in_words(each.text)
    if is_big and each.style is Style.CODE and not set(text) - _DRAWN:
        return Digits(text, classes="code")
    text = plain(each)
    if each.style is Style.WARNING:
        return Bullet(marks().attention, text, classes="warning")
    if each.style is Style.DONE:
        return Bullet(marks().done, text, classes="done")
    if each.style is Style.RUNNING:
        return Bullet(marks().pointer, text, classes="strong")
    if each.style is Style.OPEN:
        return Bullet(marks().open, text, classes="muted")
    return line(text, classes=each.style.value)
