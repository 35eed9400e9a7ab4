"""What of a page stays the same while its contents change, and which keys it names."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.desk.tables import Table
from kiosk.desk.views import FieldKind, Page
from kiosk.tui.widgets.bars import KeyHint


def has_own_key(page: Page) -> bool:
    """Say whether F2 does what the page does."""
    can_act = page.action is not None and not page.finds
    return can_act and bool(page.fields or page.asks_own_key)


def is_grouped(page: Page) -> bool:
    """Say whether the fields are so many that one group is shown at a time."""
    return sum(field.heading is not None for field in page.fields) > 1 + 1


def keys_of(page: Page, *, can_choose: bool) -> tuple[KeyHint, ...]:
    """Return the keys that work on a page."""
    keys: list[KeyHint] = []
    if page.table is not None:
        keys += _table_keys(page.table)
    elif is_grouped(page):
        keys += [KeyHint("arrows", "tui.key.move"), KeyHint("F4", "tui.key.undo")]
        keys.append(KeyHint("PgUp PgDn", "tui.key.group"))
    elif page.fields or can_choose:
        keys += [KeyHint("Tab", "tui.key.next"), KeyHint("Enter", "tui.key.choose")]
    if has_own_key(page) and page.action is not None:
        keys.append(KeyHint("F2", page.action.key))
    if page.can_go_back:
        keys.append(KeyHint("Esc", "tui.key.back"))
    elif page.finds and page.table is not None:
        keys.append(KeyHint("Esc", "tui.key.clear"))
    if page.operator and page.table is None and not is_grouped(page):
        keys.append(KeyHint("F12", "tui.key.sign_out"))
    return tuple(keys)


def _table_keys(table: Table) -> Iterator[KeyHint]:
    yield KeyHint("arrows", "tui.key.move")
    if table.opens:
        yield KeyHint("Enter", "tui.key.open")
    if table.sorted_by:
        yield KeyHint("F3", "tui.key.sort")
        yield KeyHint("F4", "tui.key.turn")


def fields_of(page: Page) -> list[tuple[str, FieldKind]]:
    """Return which fields a page has, whatever is in them."""
    return [(field.name, field.kind) for field in page.fields]


def term_of(page: Page) -> str:
    """Return what the rows of a page were looked for by."""
    return page.fields[0].value if page.fields else ""


def frame_of(page: Page) -> tuple[object, ...]:
    """Return what has to be the same for a page to be shown in place of another."""
    offered = [(each.key, each.letter, each.refusal) for each in page.choices]
    can = (page.action, page.asks_own_key, page.can_go_back, page.finds)
    columns = () if page.table is None or page.finds else page.table.columns
    return page.name, page.title, page.operator, fields_of(page), offered, can, columns
