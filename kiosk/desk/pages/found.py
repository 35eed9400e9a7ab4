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
from storage.registry import Tx

_DAY = 86_400


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
        what, run = self._what, context.parts.registry.run
        now = context.parts.clock.now()
        match what:
            case Listing.OUT_OF_STEP:
                return run(lambda tx: tx.credentials(sync=Sync.OUT_OF_STEP))
            case Listing.SUSPENDED:
                return run(lambda tx: tx.credentials(state=State.SUSPENDED))
            case Listing.EXPIRING:
                until = now + context.site.expiring_days * _DAY
                return run(lambda tx: _expiring(tx, until))
            case Listing.BLOCKED_TODAY:
                today = midnight(now)
                ids = {
                    event.credential
                    for event in context.parts.registry.audit_events()
                    if event.kind == "lifecycle.pin_blocked" and event.at >= today
                }
                return run(lambda tx: [tx.credential(each) for each in sorted(ids)])
            case _:
                return run(lambda tx: [tx.credential(each) for each in what])


def _expiring(tx: Tx, until: float) -> list[Credential]:
    in_use = (State.ISSUED, State.ACTIVE, State.BLOCKED)
    return [
        each
        for each in tx.credentials()
        if each.state in in_use
        and each.expires_at is not None
        and each.expires_at <= until
    ]


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
