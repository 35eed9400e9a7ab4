"""Credentials as rows of a table, the same on every page that lists them."""

from __future__ import annotations

from kiosk.authority.office.list_values import (
    Listed,
    SortedBy,
    Visited,
    Wanted,
    Worklist,
)
from kiosk.core.errors import Message
from kiosk.desk.context import Context
from kiosk.desk.pages.of_holder import of_holder
from kiosk.desk.pages.times import day
from kiosk.desk.tables import (
    Column,
    Look,
    PageLine,
    Style,
    Table,
    TableRow,
    Words,
    nothing_for,
)
from statemachine.lifecycle import State
from statemachine.operation import Phase
from storage.records import Sync

_OPEN = "open:"
_CARD_SHOWN = 5
"""Characters of a card's identity that tell it apart: its last."""
_WIDTHS = {
    SortedBy.NAME: (13, 3),
    SortedBy.ACCOUNT: (14, 2),
    SortedBy.STATE: (12, 0),
    SortedBy.PASSWORD: (12, 0),
    SortedBy.CARD: (7, 0),
    SortedBy.LAST: (10, 0),
    SortedBy.EXPIRES: (10, 0),
}
"""Cells that a column needs, and its share of what is left."""
_ENDED = (Phase.DONE, Phase.REFUSED, Phase.ROLLED_BACK, Phase.OUT_OF_STEP)
_ALWAYS = (
    SortedBy.NAME,
    SortedBy.ACCOUNT,
    SortedBy.STATE,
    SortedBy.PASSWORD,
    SortedBy.CARD,
)


def table(context: Context, look: Look, worklist: Worklist | None = None) -> Table:
    """Return the rows that somebody wants to see. NotInRole."""
    is_ending = worklist is Worklist.EXPIRING
    own = SortedBy.EXPIRES if is_ending else SortedBy.LAST
    columns = (*_ALWAYS, own)
    sorted_by = _sorted_by(look, worklist, own)
    found = context.office.look(
        Wanted(
            term=look.term,
            worklist=worklist,
            state=State(look.filter) if look.filter else None,
            sorted_by=sorted_by,
            is_descending=look.is_descending,
            most=look.rows,
        )
    )
    return Table(
        nothing=nothing_for(look.term),
        columns=tuple(_column(each) for each in columns),
        rows=tuple(_row(each, columns) for each in found.rows),
        sorted_by=sorted_by,
        is_descending=look.is_descending,
        filters=() if worklist is not None else _filters(),
        filter=look.filter,
        has_more=found.has_more,
        at=look.at,
    )


def opened(key: str) -> str:
    """Return the id of the credential whose row was chosen; empty: no row was."""
    return key.removeprefix(_OPEN) if key.startswith(_OPEN) else ""


def state_in_words(state: State) -> Message:
    """Return what a state is called."""
    return Message(f"desk.state.{state}")


def sync_in_words(sync: Sync) -> Message:
    """Return what is known of card and password, in words."""
    return Message(f"desk.sync.{sync.replace(' ', '_')}")


def _sorted_by(look: Look, worklist: Worklist | None, own: SortedBy) -> SortedBy:
    if look.sorted_by:
        return SortedBy(look.sorted_by)
    return SortedBy.NAME if worklist is None else own


def _column(each: SortedBy) -> Column:
    width, share = _WIDTHS[each]
    return Column(each, Message(f"desk.column.{each}"), width, share)


def _filters() -> tuple[tuple[str, Message], ...]:
    return (
        ("", Message("desk.filter_all")),
        *((str(each), state_in_words(each)) for each in State),
    )


def _row(each: Listed, columns: tuple[SortedBy, ...]) -> TableRow:
    cells: dict[SortedBy, Words] = {
        SortedBy.NAME: each.holder,
        SortedBy.ACCOUNT: each.account,
        SortedBy.STATE: state_in_words(each.state),
        SortedBy.PASSWORD: sync_in_words(each.sync),
        SortedBy.CARD: "…" + each.card[-_CARD_SHOWN:],
        SortedBy.LAST: "–" if each.last is None else day(each.last.at),
        SortedBy.EXPIRES: "–" if not each.expires_at else day(each.expires_at),
    }
    is_open = each.state is not State.RETIRED
    return TableRow(
        key=f"{_OPEN}{each.id}",
        cells=tuple(cells[column] for column in columns),
        needs_somebody=is_open
        and (each.sync is Sync.OUT_OF_STEP or each.state is State.BLOCKED),
        about=tuple(_about(each)),
    )


def _about(each: Listed) -> list[PageLine]:
    lines = [
        PageLine(each.holder, Style.STRONG),
        PageLine(
            Message(
                "desk.row_about",
                {
                    "template": f"{each.template} {each.template_version}",
                    "issued": int(each.issued_at),
                },
            )
        ),
    ]
    if each.sync_reason and each.sync is not Sync.IN_STEP:
        lines.append(PageLine(of_holder(Message(each.sync_reason)), Style.WARNING))
    if each.last is not None:
        lines.append(visit_in_words(each.last))
        if each.last.reason:
            lines.append(PageLine(of_holder(Message(each.last.reason)), Style.MUTED))
    return lines


def visit_in_words(last: Visited) -> PageLine:
    """Tell what a holder did, where, and how that ended."""
    told: dict[str, str | int] = {
        "at": int(last.at),
        "station": last.station,
        "event": last.event,
    }
    ended = last.phase if last.phase in _ENDED else "unfinished"
    return PageLine(
        Message(f"desk.visit.{ended}", told), label=Message(f"desk.did.{last.kind}")
    )
