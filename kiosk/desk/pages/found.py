"""Lists of credentials: what a search found, and what needs somebody."""

from __future__ import annotations

import time
from enum import StrEnum

from kiosk.authority.office.operators import Action, require
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.search import MOST
from kiosk.desk.views import Choice, Emit, Page, PageLine, Style
from statemachine.lifecycle import State
from storage.records import Credential, Sync
from storage.view import View

_DAY = 86_400
_EVENTS = 1_000


class Listing(StrEnum):
    """Lists that are always there; `desk.list.<value>`."""

    OUT_OF_STEP = "out_of_step"
    BLOCKED_TODAY = "blocked_today"
    SUSPENDED = "suspended"
    EXPIRING = "expiring"


class FoundPage(Plain):
    """One line for each; choosing one opens it. Read anew each time it is shown."""

    def __init__(self, what: Listing | tuple[str, ...]) -> None:
        self._what = what

    def show(self, context: Context) -> Page:
        require(context.desk.operator, Action.LOOK)
        found = self._found(context)
        name = self._what if isinstance(self._what, Listing) else "search"
        lines = [PageLine(Message("desk.found", {"count": len(found)}), Style.MUTED)]
        if len(found) >= MOST:
            lines.append(PageLine(Message("desk.more"), Style.WARNING))
        return Page(
            name=f"found_{name}",
            title=Message(f"desk.list.{name}"),
            lines=tuple(lines),
            choices=tuple(
                Choice(each.id, each.holder, _about(each)) for each in found[:MOST]
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        return go(CredentialPage(key))

    def _found(self, context: Context) -> list[Credential]:
        what, registry = self._what, context.parts.registry
        now = context.parts.clock.now()
        match what:
            case Listing.OUT_OF_STEP:
                mark = Sync.OUT_OF_STEP
                return registry.read(lambda it: it.credentials(sync=mark, limit=MOST))
            case Listing.SUSPENDED:
                state = State.SUSPENDED
                return registry.read(lambda it: it.credentials(state=state, limit=MOST))
            case Listing.EXPIRING:
                until = now + context.site.expiring_days * _DAY
                return registry.read(lambda it: it.expiring_before(until, limit=MOST))
            case Listing.BLOCKED_TODAY:
                return registry.read(lambda it: _blocked_since(it, midnight(now)))
            case _:
                return registry.read(lambda it: [it.credential(key) for key in what])


def _blocked_since(view: View, since: float) -> list[Credential]:
    events = view.events(kind="lifecycle.pin_blocked", since=since, limit=_EVENTS)
    ids = sorted({event.credential for event in events})
    return [view.credential(each) for each in ids]


def midnight(now: float) -> float:
    """Return when the local day of `now` began; clocks may have changed since."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))


def _about(credential: Credential) -> Message:
    return Message(
        "desk.credential_line",
        {
            "account": credential.account,
            "state": credential.state,
            "sync": credential.sync,
            "card": credential.card[-12:],
        },
    )
