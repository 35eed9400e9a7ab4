"""Why something may not happen: a refusal as a value, never as an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Actor(StrEnum):
    """Who makes an event happen, and who can help when it may not."""

    HOLDER = "holder"
    HELPDESK = "helpdesk"
    OFFICER = "enrollment officer"
    ADMINISTRATOR = "administrator"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for a "no": `code` is a catalogue key under `refusal.`."""

    code: str
    who_can_help: Actor
