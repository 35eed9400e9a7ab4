"""Words for the faces: catalogue sentences, and outside text made visible.

One terminal speaks one language at a time: the one of the person in front of it. UI
thread.
"""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.texts import ENGLISH, UnknownText, sentence
from kiosk.visit.station import Helpdesk

_language = ENGLISH


def speak(language: str) -> None:
    """Say everything from now on in `language`; what is on the screen stays."""
    global _language
    _language = language


def spoken() -> str:
    """Return the language that is spoken now."""
    return _language


def say(key: str, **data: str | int) -> str:
    """Return a sentence of the catalogue."""
    return sentence(Message(key, dict(data)), _language)


def said(message: Message) -> str:
    """Return the words of a message; its key where the catalogue has none."""
    try:
        return sentence(message, _language)
    except (UnknownText, KeyError):
        return message.key


def whom_to_call(desk: Helpdesk) -> str:
    """Return the helpdesk's contact and hours in one line."""
    if desk.hours:
        return say("tui.help.with_hours", contact=desk.contact, hours=desk.hours)
    return say("tui.help.any_time", contact=desk.contact)
