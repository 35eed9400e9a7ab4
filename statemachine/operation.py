"""The PIN operation's own machine: from the first durable mark to its end."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """How far an operation has come. Each is committed before what follows it."""

    PREPARED = "prepared"
    AUTHORISED = "authorised"
    CARD_CHANGING = "card_changing"
    CARD_CHANGED = "card_changed"
    WRITING = "writing"
    ROLLING_BACK = "rolling_back"
    DONE = "done"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    OUT_OF_STEP = "out_of_step"


class Kind(StrEnum):
    """What a person at a kiosk does with a PIN."""

    ACTIVATE = "activate"
    CHANGE = "change"
    UNBLOCK = "unblock"
    FINISH = "finish"
