"""Rows of lists: credentials that were found or wait, and events of the evidence."""

from __future__ import annotations

from enum import StrEnum

from kiosk.authority.values import Value
from kiosk.core.errors import Message
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase
from storage.records import AuditEvent, Sync


class Worklist(StrEnum):
    """Lists that are always there; `desk.list.<value>`."""

    OUT_OF_STEP = "out_of_step"
    BLOCKED_TODAY = "blocked_today"
    SUSPENDED = "suspended"
    EXPIRING = "expiring"
    ROTATION_DUE = "rotation_due"
    KEYLESS = "keyless"


class SortedBy(StrEnum):
    """Columns; `desk.column.<value>`."""

    NAME = "name"
    ACCOUNT = "account"
    STATE = "state"
    PASSWORD = "password"  # noqa: S105 - the name of a column
    CARD = "card"
    LAST = "last"
    EXPIRES = "expires"


class Wanted(Value, frozen=True, kw_only=True):
    """What is to be listed, and how."""

    term: str = ""
    """Words, each a part of holder, account or card; or an event's number, or an id."""
    worklist: Worklist | None = None
    """Instead of a term."""
    state: State | None = None
    sorted_by: SortedBy = SortedBy.NAME
    is_descending: bool = False
    most: int


class Visited(Value, frozen=True, kw_only=True):
    """How an operation of a holder stands."""

    event: str
    kind: Kind
    phase: Phase
    reason: str
    """Catalogue key; empty: none."""
    station: str
    at: float


class Listed(Value, frozen=True, kw_only=True):
    """One credential. Names are outside text."""

    id: str
    holder: str
    account: str
    card: str
    state: State
    sync: Sync
    sync_reason: str
    template: str
    template_version: int
    issued_at: float
    expires_at: float | None
    last: Visited | None


class Rows(Value, frozen=True, kw_only=True):
    """What was found, in order."""

    rows: tuple[Listed, ...]
    has_more: bool
    """There are others behind the last."""


class EvidenceRow(Value, frozen=True, kw_only=True):
    """One event, and whose card it is about. Names are outside text."""

    event: AuditEvent
    holder: str


class EvidenceFound(Value, frozen=True, kw_only=True):
    """The newest events that were looked for, and what could not be looked at."""

    rows: tuple[EvidenceRow, ...]
    is_cut: bool = False
    """Older events were not looked at."""
    missing: tuple[Message, ...] = ()
    """Sealed evidence that is not there, or damaged."""
