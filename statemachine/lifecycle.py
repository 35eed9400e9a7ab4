"""The credential's lifecycle: states, events and the one table of edges."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a credential stands."""

    ISSUED = "issued"
    ACTIVE = "active"
    BLOCKED = "blocked"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    RETIRED = "retired"


class Event(StrEnum):
    """What can happen to a credential."""

    ISSUE = "issue"
    ACTIVATE = "activate"
    PIN_BLOCKED = "pin_blocked"
    UNBLOCK = "unblock"
    FOUND_UNBLOCKED = "found_unblocked"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    RETIRE = "retire"
