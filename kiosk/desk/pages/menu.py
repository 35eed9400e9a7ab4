"""The first page after signing in: search, lists, and what the role includes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kiosk.authority.office.operators import Action
from kiosk.authority.proof.checkpointed_registry import OLDER
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Screen, go
from kiosk.desk.pages.audit import AuditPage
from kiosk.desk.pages.batch import BatchPage
from kiosk.desk.pages.found import FoundPage, Listing
from kiosk.desk.pages.history import moment
from kiosk.desk.pages.issue import PersonPage, TakeoverPage
from kiosk.desk.pages.templates import TemplatesPage
from kiosk.desk.search import search
from kiosk.desk.views import Choice, Emit, Filled, Page, PageField, PageLine, Style

_SET_BACK_SECONDS = 30 * 86400.0

_PAGES: dict[str, tuple[Action, Callable[[], Screen]]] = {
    "issue": (Action.ISSUE, PersonPage),
    "batch": (Action.ISSUE, BatchPage),
    "import": (Action.IMPORT, TakeoverPage),
    "templates": (Action.TEMPLATES, TemplatesPage),
    "audit": (Action.EXPORT, AuditPage),
}


class Menu:
    """Where everything begins."""

    def show(self, context: Context) -> Page:
        lists = tuple(
            Choice(f"list:{each}", Message(f"desk.list.{each}")) for each in Listing
        )
        tasks = tuple(
            Choice(
                key,
                Message(f"desk.menu.{key}"),
                refusal=None if context.may(action) else _not_yours(action),
            )
            for key, (action, _) in _PAGES.items()
        )
        return Page(
            name="menu",
            title=Message("desk.menu.title"),
            lines=tuple(_set_back(context)),
            fields=(PageField(name="term", label=Message("desk.field.search")),),
            action=Message("desk.menu.search"),
            choices=(*lists, *tasks, Choice("out", Message("desk.menu.sign_out"))),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        if key == "out":
            context.operator = None
            context.own_insertion = 0
            return Move(home=True)
        if key.startswith("list:"):
            return go(FoundPage(Listing(key.removeprefix("list:"))))
        action, page = _PAGES[key]
        return go(page()) if context.may(action) else Move(notice=_not_yours(action))

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        term = filled.texts["term"].strip()
        found = search(context.desk, term)
        if not found:
            return Move(notice=Message("desk.nothing_found", {"term": term}))
        return go(FoundPage(tuple(each.id for each in found)))


def _set_back(context: Context) -> Iterator[PageLine]:
    """Say for a month that an older registry was found in the place of this one."""
    parts = context.parts
    since = parts.clock.now() - _SET_BACK_SECONDS
    found = parts.registry.read(
        lambda view: view.events(kind=OLDER, since=since, newest_first=True, limit=1)
    )
    for event in found:
        when = Message("desk.menu.set_back", {"when": moment(event.at)})
        yield PageLine(when, Style.WARNING)


def _not_yours(action: Action) -> Message:
    return Message("desk.not_your_role", {"action": action})
