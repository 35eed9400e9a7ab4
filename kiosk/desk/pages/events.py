"""What went into the evidence, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.errors import Message
from kiosk.desk.pages.times import moment
from kiosk.desk.tables import Column, PageLine, Style, TableRow
from statemachine.lifecycle import Event
from statemachine.operation import Phase
from storage.records import ApprovalKind, AuditEvent

KINDS = frozenset(
    {
        *(f"lifecycle.{each}" for each in Event),
        *(f"operation.{each}" for each in Phase),
        *(f"approval.{each}_issued" for each in ApprovalKind),
        "approval.agreed",
        "approval.redeemed",
        "approval.wrong_entry",
        "approval.challenge_answered",
        "audit.exported",
        "credential.case_closed",
        "credential.key_recorded",
        "credential.out_of_step",
        "credential.presence_failed",
        "credential.proof_failed",
        "escrow.released",
        "escrow.rotated",
        "escrow.admin_key_used",
        "operation.not_opened",
        "operation.too_often",
        "operator.signed_in",
        "operator.sign_in_refused",
        "template.saved",
    }
)
"""`desk.event.<kind>`, with `_` for what is no letter; the others say their name."""
_DETAILS = ("reason", "dc", "said", "template", "file", "version")
"""What of an event's data is for people; keys and signatures are in the export."""
_PEOPLE = ("holder", "card")
COLUMNS = (
    Column("at", Message("desk.column.at"), 16),
    Column("what", Message("desk.column.what"), 22, 3),
    Column("who", Message("desk.column.who"), 14, 1),
    Column("where", Message("desk.column.where"), 7),
)
"""When, what, who, where."""


def in_words(kind: str) -> Message | str:
    """Return what an event of that kind is."""
    if kind in KINDS:
        return Message(f"desk.event.{kind.replace('.', '_').replace(' ', '_')}")
    area, _, name = kind.partition(".")
    return f"{area}: {name}".replace("_", " ")


def actor_in_words(actor: str) -> Message | str:
    """Return who did it: an operator, or what the holder or the card is called."""
    return Message(f"desk.actor.{actor}") if actor in _PEOPLE else actor


def row(event: AuditEvent, *, key: str) -> TableRow:
    """Return an event as a row, with its details beside it."""
    return TableRow(
        key=key,
        cells=(
            moment(event.at),
            in_words(event.kind),
            actor_in_words(event.actor),
            event.station,
        ),
        needs_somebody=event.kind.endswith(("_refused", "_failed", ".out_of_step")),
        about=tuple(_about(event)),
    )


def _about(event: AuditEvent) -> Iterator[PageLine]:
    yield PageLine(in_words(event.kind), Style.STRONG)
    if "." in event.result:
        code = {"code": event.data.get("hex", "–")}
        yield PageLine(Message(event.result, code))
    elif event.result:
        yield PageLine(event.result)
    for name in _DETAILS:
        if value := event.data.get(name, ""):
            yield PageLine(value, Style.MUTED, Message(f"desk.data.{name}"))
