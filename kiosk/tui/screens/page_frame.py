"""What of a page stays the same while its contents change, and which keys it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kiosk.core.errors import Message
from kiosk.desk.tables import Table
from kiosk.desk.views import Choice, FieldKind, Page
from kiosk.tui.widgets.bars import KeyHint
from kiosk.visit.station import FaceSettings


def at_station(page: Page, settings: FaceSettings) -> Page:
    """Return a page with what can be chosen at this station: who makes it does not know
    whether there is a printer.
    """
    if settings.print_with or not any(each.needs_printer for each in page.choices):
        return page
    choices = tuple(each for each in page.choices if not each.needs_printer)
    return replace(page, choices=choices)


def has_own_key(page: Page) -> bool:
    """Say whether F2 does what the page does."""
    can_act = page.action is not None and not page.finds
    return can_act and bool(page.fields or page.asks_own_key)


def is_function_key(choice: Choice) -> bool:
    """Say whether it has a key that types nothing, and so stands in the key bar."""
    return len(choice.letter) > 1


def is_grouped(page: Page) -> bool:
    """Say whether the fields are so many that one group is shown at a time."""
    return sum(field.heading is not None for field in page.fields) > 1 + 1


def keys_of(page: Page, *, can_choose: bool) -> tuple[KeyHint, ...]:
    """Return the keys that work on a page."""
    keys: list[KeyHint] = []
    if page.table is not None:
        keys += _table_keys(page.table)
    elif is_grouped(page):
        keys += [
            KeyHint("arrows", "tui.key.move"),
            KeyHint("PgUp PgDn", "tui.key.group"),
        ]
        keys.append(KeyHint("Ctrl+Z", "tui.key.undo"))
        if len(page.beside) > 1:
            keys.append(KeyHint("F4", "tui.key.compare"))
    elif page.fields or can_choose:
        if len(page.fields) + can_choose > 1:
            keys.append(KeyHint("Tab", "tui.key.next"))
        if can_choose:
            keys.append(KeyHint("Enter", "tui.key.choose"))
    if has_own_key(page) and page.action is not None:
        keys.append(KeyHint("F2", page.action.key))
    for each in page.choices:
        if is_function_key(each) and isinstance(each.label, Message):
            keys.append(KeyHint(each.letter.title(), each.label.key))
    if page.can_go_back:
        keys.append(KeyHint("Esc", "tui.key.back"))
    elif page.finds and page.table is not None:
        keys.append(KeyHint("Esc", "tui.key.clear"))
    keys.append(KeyHint("F1", "tui.key.help"))
    if page.operator:
        keys.append(KeyHint("F12", "tui.key.sign_out"))
    return tuple(keys)


def all_keys_of(page: Page) -> tuple[KeyHint, ...]:
    """Return every key that does something on a page, beside its choices' letters."""
    keys: list[KeyHint] = []
    table = page.table
    if table is not None:
        keys += [
            KeyHint("↑ ↓", "tui.keys.move"),
            KeyHint("PgUp PgDn", "tui.keys.page"),
            KeyHint("Home End", "tui.keys.ends"),
        ]
        keys += [KeyHint("Enter", "tui.keys.open")] if table.opens else []
        keys += [KeyHint("← →", "tui.keys.filter")] if table.filters else []
        keys += [KeyHint("Ctrl+S", "tui.keys.sort")] if table.sorted_by else []
    elif is_grouped(page):
        keys += [
            KeyHint("↑ ↓", "tui.keys.field"),
            KeyHint("← →", "tui.keys.value"),
            KeyHint("PgUp PgDn", "tui.keys.group"),
            KeyHint("Ctrl+Z", "tui.keys.undo"),
        ]
        if len(page.beside) > 1:
            keys.append(KeyHint("F4", "tui.keys.compare"))
    else:
        keys += [KeyHint("Tab", "tui.keys.next")] if page.fields else []
        keys += [KeyHint("↑ ↓", "tui.keys.choice")] if page.choices else []
        keys += [KeyHint("Enter", "tui.keys.choose")] if page.choices else []
        keys.append(KeyHint("PgUp PgDn", "tui.keys.scroll"))
    if page.finds:
        keys.append(KeyHint("Esc", "tui.keys.clear"))
    elif page.can_go_back:
        keys.append(KeyHint("Esc", "tui.keys.back"))
    if page.operator:
        keys.append(KeyHint("Ctrl+P", "tui.keys.palette"))
        keys.append(KeyHint("F12", "tui.keys.sign_out"))
    return tuple(keys)


def _table_keys(table: Table) -> Iterator[KeyHint]:
    yield KeyHint("arrows", "tui.key.move")
    if table.opens:
        yield KeyHint("Enter", "tui.key.open")
    if table.sorted_by:
        yield KeyHint("Ctrl+S", "tui.key.sort")


def fields_of(page: Page) -> list[tuple[str, FieldKind]]:
    """Return which fields a page has, whatever is in them."""
    return [(field.name, field.kind) for field in page.fields]


def term_of(page: Page) -> str:
    """Return what the rows of a page were looked for by."""
    return page.fields[0].value if page.fields else ""


def frame_of(page: Page) -> tuple[object, ...]:
    """Return what has to be the same for a page to be shown in place of another."""
    offered = [(each.key, each.letter, each.refusal) for each in page.choices]
    can: tuple[object, ...] = (page.can_go_back, page.finds)
    if not page.weighs:  # there what the page does follows what is typed
        can += (page.action, page.asks_own_key)
    columns = () if page.table is None or page.finds else page.table.columns
    return page.name, page.title, page.operator, fields_of(page), offered, can, columns
