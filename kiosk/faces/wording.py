"""What the faces say: sentences of the catalogue, with outside text made visible.

One terminal speaks one language at a time: the one of the person in front of it. What
is said of a visit (`visit_wording`) is not needed for the first frame. UI thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.core.errors import Message
from kiosk.texts import ENGLISH, UnknownText, has, sentence

if TYPE_CHECKING:
    import time

    from kiosk.visit.station import Helpdesk

_language = ENGLISH
_LONGEST = 160
"""Characters of each value in a sentence that somebody else has put together."""
_WHOLE = 400
"""Characters of what the faces themselves put into a sentence."""


def speak(language: str) -> None:
    """Say everything from now on in `language`; what is on the screen stays."""
    global _language
    _language = language


def spoken() -> str:
    """Return the language that is spoken now."""
    return _language


def say(key: str, **data: str | int) -> str:
    """Return a sentence of the catalogue."""
    return sentence(Message(key, dict(data)), _language, limit=_WHOLE)


def said(message: Message) -> str:
    """Return the words of a message; its key where the catalogue has none.

    Where its sentence tells what to type at a command line, or to write into a file, a
    screen has another one.
    """
    own = f"screen.{message.key}"
    shown = Message(own, message.data) if has(own) else message
    try:
        return sentence(shown, _language, limit=_LONGEST)
    except (UnknownText, KeyError):
        return message.key


def labelled(label: str, what: str) -> str:
    """Return what it is called, and what it is or why."""
    return say("tui.labelled", name=label, what=what)


def moment(at: time.struct_time) -> str:
    """Return a time as the language writes it, with its zone (minutes)."""
    return say(
        "tui.date_time",
        year=at.tm_year,
        month=f"{at.tm_mon:02}",
        day=f"{at.tm_mday:02}",
        hour=f"{at.tm_hour:02}",
        minute=f"{at.tm_min:02}",
        zone=at.tm_zone,
    )


def who_helps(desk: Helpdesk) -> str:
    """Return the helpdesk's contact and hours, to stand in a sentence."""
    return f"{desk.contact} ({desk.hours})" if desk.hours else desk.contact


def whom_to_call(desk: Helpdesk, at: str = "") -> str:
    """Return the helpdesk's contact and hours in one line.

    `at`: which page of an error it is for, where more than that can be said.
    """
    key = "tui.dead_end.unknown_card" if at == "unknown_card" else "tui.help"
    return say(key, who=who_helps(desk))
