"""The first page after signing in: search, lists, and what the role includes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from kiosk.authority.office.list_values import (
    Worklist,
)
from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, Screen, go, stay
from kiosk.desk.pages.audit import AuditPage
from kiosk.desk.pages.batch import BatchPage
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.evidence import EvidencePage
from kiosk.desk.pages.found import REFRESH, FoundPage
from kiosk.desk.pages.issue import ImportPage, PersonPage
from kiosk.desk.pages.risk import RiskPage
from kiosk.desk.pages.rows import opened, table
from kiosk.desk.pages.stations import StationsPage
from kiosk.desk.pages.templates import TemplatesPage
from kiosk.desk.pages.work import WorkPage
from kiosk.desk.views import (
    Choice,
    Emit,
    Filled,
    Look,
    Page,
    PageField,
    PageLine,
    Style,
)

_LETTERS = {
    Worklist.OUT_OF_STEP: "o",
    Worklist.BLOCKED_TODAY: "b",
    Worklist.SUSPENDED: "s",
    Worklist.EXPIRING: "e",
    Worklist.ROTATION_DUE: "u",
    Worklist.KEYLESS: "k",
    "issue": "i",
    "batch": "a",
    "import": "m",
    "templates": "t",
    "evidence": "d",
    "audit": "v",
    "risk": "r",
    "stations": "f",
}
_LIST = "list:"
_WORK = "work"
ELSEWHERE = "go:"
"""Before the key of a choice of the first page that is made on another one."""
_PAGES: dict[str, tuple[Action, Callable[[], Screen]]] = {
    "issue": (Action.ISSUE, PersonPage),
    "batch": (Action.ISSUE, BatchPage),
    "import": (Action.IMPORT, ImportPage),
    "templates": (Action.TEMPLATES, TemplatesPage),
    "evidence": (Action.EXPORT, EvidencePage),
    "audit": (Action.EXPORT, AuditPage),
    "risk": (Action.EXPORT, RiskPage),
    "stations": (Action.STATIONS, StationsPage),
}


class Menu(Plain):
    """Where everything begins: what is typed is looked for at once, and while nothing
    is typed there is what waits, and what the role includes.
    """

    opens_cards = True

    def __init__(self) -> None:
        self._look = Look()

    def show(self, context: Context) -> Page:
        term = self._look.term
        is_looking = bool(term.strip())
        return Page(
            name="menu",
            title=Message("desk.menu.title"),
            lines=() if is_looking else tuple(_set_back(context)),
            fields=(
                PageField(name="term", label=Message("desk.field.search"), value=term),
            ),
            action=Message("desk.menu.search"),
            choices=tuple(_choices(context)),
            table=table(context, self._look) if is_looking else None,
            finds=True,
            refresh=REFRESH,
        )

    def look(self, look: Look) -> None:
        self._look = look

    def choose(self, context: Context, key: str, emit: Emit) -> Move:
        if credential := opened(key):
            self._look = replace(self._look, at=key)
            return go(CredentialPage(credential))
        if key == _WORK:
            return go(WorkPage())
        if key.startswith(_LIST):
            return go(FoundPage(Worklist(key.removeprefix(_LIST))))
        action, page = _PAGES[key]
        if not context.may(action):
            return Move(notice=_not_yours(action))
        screen = page()
        if isinstance(screen, RiskPage):
            screen.survey(context, emit)
        return go(screen)

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        """Open what a whole number or card means, or the only one that is found."""
        term = filled.texts["term"].strip()
        if term != self._look.term.strip():
            self._look = Look(term=term)
        credential = context.office.meant(term)
        found = table(context, self._look).rows
        if not credential and len(found) == 1:
            credential = opened(found[0].key)
        if credential:
            return go(CredentialPage(credential))
        if not found:
            return stay(Message("desk.nothing_found", {"term": term}))
        return stay()


def elsewhere(context: Context) -> Iterator[Choice]:
    """Return what the first page offers, as it can be chosen on any other."""
    yield Choice(ELSEWHERE, Message("desk.menu.find"))
    for each in _offered(context):
        yield Choice(f"{ELSEWHERE}{each.key}", each.label)


def _choices(context: Context) -> Iterator[Choice]:
    """What waits, with how many; then what the operator's roles include."""
    work = context.own_work
    if work is not None:
        words = "desk.menu.work_over" if work.is_over else "desk.menu.work"
        if work.is_to_hand_over:
            words = "desk.menu.hand_over"
        yield Choice(_WORK, Message(words), letter="w")
    waiting = context.office.counts()
    for each in _offered(context):
        list_ = each.key.removeprefix(_LIST)
        count = waiting.get(Worklist(list_)) if each.key.startswith(_LIST) else None
        yield each if count is None else replace(each, count=str(count))


def _offered(context: Context) -> Iterator[Choice]:
    for each in Worklist:
        words = Message(f"desk.list.{each}")
        yield Choice(f"{_LIST}{each}", words, letter=_LETTERS[each])
    for key, (action, _) in _PAGES.items():
        if context.may(action):
            yield Choice(key, Message(f"desk.menu.{key}"), letter=_LETTERS[key])


def _set_back(context: Context) -> Iterator[PageLine]:
    """Say for a month that an older registry was found in the place of this one."""
    at = context.office.set_back_at()
    if at is not None:
        when = Message("desk.menu.set_back", {"when": int(at)})
        yield PageLine(when, Style.WARNING)


def _not_yours(action: Action) -> Message:
    return Message("desk.not_your_role", {"action": action})
